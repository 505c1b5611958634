import { CONFIG_OPTIONS } from '../ssh-config/options.js'
import type { Manual } from './manual.js'

export const manual: Manual = {
  name: 'sshjob ssh-config',
  summary: "what ~/.ssh/config needs for 'ssh JOB.job'",
  calls: ['[options]'],
  description: [
    "Prints what OpenSSH needs for 'ssh JOB.job', or writes it into ~/.ssh/config. Every program that runs ssh enters jobs then.",
  ],
  options: CONFIG_OPTIONS,
  operands: [],
  examples: [
    ['sshjob ssh-config --install', "then 'ssh train.job' enters the job train"],
    [
      "sshjob ssh-config --install --host-suffix .box \\\n    --proxy-command 'docker exec -i %h sshjob-server -i'",
      "for what a command leads to: then 'ssh web.box' enters the container web",
    ],
  ],
}
