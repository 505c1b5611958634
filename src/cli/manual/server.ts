import { SERVER_OPTIONS } from '../server/settings.js'
import type { Manual } from './manual.js'

export const manual: Manual = {
  name: 'sshjob-server',
  summary: 'runs a command as a job that can be entered',
  calls: ['[options] -- COMMAND [ARG...]', '-i [options]', '-i|-t|-T -f FILE [options]'],
  description: [
    "Runs COMMAND as a job, which its user enters with 'sshjob ID' while it runs. COMMAND runs as it would without sshjob-server, also where no session can enter it. When it ends, open sessions are told so and ended.",
    'With -i, serves the one connection on stdin and stdout, into where it was started: a container, a step of a job.',
    'With -f, does the same in the place of sshd(8), with its options and its configuration.',
  ],
  options: SERVER_OPTIONS,
  operands: ['program', 'file'],
  exitStatus: [
    "The exit status is that of COMMAND; a signal that ends COMMAND ends us as well. It is 255 when sshjob-server itself fails, also when COMMAND can't be started; one line on stderr that begins with 'sshjob-server:' says why. With -i it is 0 once the connection has ended, and 255 when it failed.",
  ],
  examples: [
    ['sshjob-server --job-id train -- python3 train.py', "entered with 'sshjob train'"],
    [
      "sshjob --proxy-command 'docker exec -i %h sshjob-server -i' web",
      'a terminal in the container web, which has sshjob-server',
    ],
  ],
  sections: [
    {
      title: 'IN THE PLACE OF SSHD',
      text: [
        'These options of sshd(8) are understood with -f, -t or -T. What restricts and can not be honoured is an error that names it.',
        [
          ['-f FILE', 'the configuration, in the format of sshd_config(5)'],
          ['-i', 'serve one connection on stdin and stdout'],
          ['-t', 'check the configuration and the keys, and exit'],
          ['-T, -C SPEC', 'print the configuration, for the connection of SPEC, and exit'],
          ['-o OPTION', "a line of the configuration, which counts before the file's"],
          ['-h FILE', 'a host key'],
          ['-e, -E FILE', 'where the log goes; without, there is none'],
          ['-d, -q', 'log everything, to stderr; log nothing'],
        ],
      ],
    },
  ],
}
