import { PROXY_OPTIONS } from '../ssh-config/options.js'
import type { Manual } from './manual.js'

export const manual: Manual = {
  name: 'sshjob proxy',
  summary: 'carries ssh to the job, as its ProxyCommand',
  calls: ['[options] JOB'],
  description: [
    "Carries SSH between a client that speaks it on our input and output, and the job: what 'sshjob ssh-config' names as ssh's ProxyCommand. Makes the client's keys if there are none, and makes it trust those that the job's server has this time.",
  ],
  options: PROXY_OPTIONS,
  operands: ['job', undefined],
}
