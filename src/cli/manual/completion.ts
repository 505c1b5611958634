import { COMPLETION_OPTIONS, SHELLS } from '../completion/shells.js'
import type { Manual } from './manual.js'

export const manual: Manual = {
  name: 'sshjob completion',
  summary: 'prints the completion for bash, zsh or fish',
  calls: [SHELLS.join('|')],
  description: [
    'Prints what makes a shell complete the words of sshjob, sshjob-server and sshjob-keygen: commands, options and their values, the jobs that can be entered, the ports that they listen on, and the files in a job (sshjob cp JOB:...). One of the lines below installs it, for shells that are started from then on.',
  ],
  options: COMPLETION_OPTIONS,
  operands: [SHELLS, undefined],
  examples: [
    ['sshjob completion bash >> ~/.bashrc', 'for bash'],
    ['sshjob completion zsh >> ~/.zshrc', 'for zsh'],
    ['sshjob completion fish > ~/.config/fish/conf.d/sshjob.fish', 'for fish'],
  ],
}
