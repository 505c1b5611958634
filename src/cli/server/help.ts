import { VERSION } from '../../core/version.js'
import { describeOptions } from '../options.js'
import { SERVER_OPTIONS } from './settings.js'

export function versionText(): string {
  return `sshjob-server ${VERSION}\n`
}

export function helpText(): string {
  return `Usage: sshjob-server [options] -- COMMAND [ARG…]   run COMMAND as a job that can be entered
       sshjob-server -i [options]                   serve one connection on stdin and stdout
       sshjob-server -i|-t|-T -f FILE [options]     the same in the place of sshd, with its
                                                    options and its configuration

COMMAND runs as it would without sshjob-server, also where no session can enter
it. While it runs, its user enters it with 'sshjob ID'. When it ends, open
sessions are told so and ended.

${describeOptions(SERVER_OPTIONS)}
The exit status is that of COMMAND; a signal that ends COMMAND ends us as well.
It is 255 when sshjob-server itself fails, also when COMMAND can't be started;
one line on stderr that begins with 'sshjob-server:' says why. With -i it is 0
once the connection has ended, and 255 when it failed.
`
}
