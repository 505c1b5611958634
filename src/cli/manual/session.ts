import { engines } from '../../engines/engines.js'
import { withOptions } from '../arguments/engine-options.js'
import { COMMANDS } from '../commands.js'
import { SESSION_OPTIONS, SESSION_OPTIONS_OF_ENGINES } from '../session/session-options.js'
import type { Manual } from './manual.js'

export const manual: Manual = {
  name: 'sshjob',
  summary: 'a terminal inside a running batch job, or a command in it',
  calls: ['[options] JOB [COMMAND...]'],
  description: [
    "Opens a terminal in the job JOB, or runs COMMAND there: in the job's environment, its working directory and its limits, as the job's user.",
    "Options stand before JOB, or behind it as with ssh(1); then comes the command. Its words are joined with spaces and given to the job's shell, as ssh(1) does it. A job whose name is one of the words below is reached with 'sshjob -- ls'.",
  ],
  commands: COMMANDS.map(({ name, call, summary }) => [`sshjob ${name} ${call}`.trimEnd(), summary] as const),
  options: withOptions(SESSION_OPTIONS, SESSION_OPTIONS_OF_ENGINES),
  operands: ['job', undefined],
  after: ['In a terminal, after a newline: ~. ends the session, ~? lists the other escapes.'],
  exitStatus: [
    'The exit status is that of the command, or 128 and the number of the signal that ended it. It is 255 when sshjob itself fails; one line on stderr says why.',
  ],
  examples: [
    ['sshjob train', 'a terminal in the job train'],
    ['sshjob train nvidia-smi', 'a command in it'],
    ['sshjob -L 8888:localhost:8888 -N train', 'its port 8888, here'],
    ...engines.flatMap(({ example }) => (example === undefined ? [] : [example])),
  ],
  sections: [
    {
      title: 'ESCAPES',
      text: [
        'They count with a terminal only, at the beginning and behind a newline.',
        [
          ['~.', 'end the session, also when nothing answers any more'],
          ['~^Z', 'suspend sshjob; fg brings it back'],
          ['~#', 'list the forwardings of this connection'],
          ['~C', 'open a command line, for forwardings'],
          ['~B', 'send a break to the terminal'],
          ['~R', 'ask for new keys'],
          ['~v, ~V', 'say more, or less, about the connection'],
          ['~?', 'list the escapes'],
          ['~~', 'send the escape character'],
        ],
      ],
    },
    {
      title: 'ENVIRONMENT',
      text: [
        [
          ['SSHJOB_RUNTIME_DIR', 'the one directory in which the sockets of jobs are looked for'],
          ['XDG_RUNTIME_DIR, TMPDIR', 'where they are looked for otherwise, beside their usual places'],
          ['LANG, LC_*', 'are passed on to the session'],
          ['TERM', 'is passed on with a terminal'],
          ['SHELL', 'runs the command of --proxy-command'],
          ['SSH_AUTH_SOCK, DISPLAY, XAUTHORITY', 'what -A and -X lead to'],
        ],
      ],
    },
  ],
}
