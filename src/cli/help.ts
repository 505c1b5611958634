import { VERSION } from '../core/version.js'
import { describeOptions } from './options.js'
import { SESSION_OPTIONS } from './session-options.js'

export function versionText(): string {
  return `sshjob ${VERSION}\n`
}

export function helpText(): string {
  return `Usage: sshjob [options] JOB [COMMAND…]     a terminal in the job, or a command
       sshjob cp [-r] [-p] SRC… DST        copies files, one side being JOB:PATH
       sshjob ls [--json]                  the jobs that you can enter here
       sshjob open JOB PORT                a port of the job, here and in the browser
       sshjob ssh-config --install         what ~/.ssh/config needs for 'ssh JOB.job'
       sshjob proxy JOB                    carries ssh to the job, as its ProxyCommand
       sshjob htcondor doctor              HTCondor's side of it: install, uninstall, doctor
       sshjob demo                         shows all of it with a small job

Options stand before JOB, or behind it as with ssh; then comes the command. A job whose
name is one of the words above is reached with 'sshjob -- ls'.

${describeOptions(SESSION_OPTIONS)}
In a terminal, after a newline: ~. ends the session, ~? lists the other escapes.

The exit status is that of the command, or 128 and the number of the signal that
ended it. It is 255 when sshjob itself fails; one line on stderr says why.
`
}
