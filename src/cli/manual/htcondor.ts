import { HTCONDOR_OPTIONS } from '../htcondor/options.js'
import type { Manual } from './manual.js'

export const manual: Manual = {
  name: 'sshjob htcondor',
  summary: "HTCondor's side of it, for its administrators",
  calls: ['install [--prefix DIR] [--dry-run]', 'uninstall [--dry-run]', 'doctor'],
  description: [
    "install makes HTCondor on this machine serve condor_ssh_to_job with sshjob instead of sshd: it puts a copy of sshjob and of this Node.js in place, and writes HTCondor's configuration. uninstall takes both away. doctor says whether jobs here can be entered, and if not, what to do.",
  ],
  exitStatus: [
    'The exit status of doctor is 1 when something is broken, and 255 when that can not be found out.',
  ],
  options: HTCONDOR_OPTIONS,
  operands: [['install', 'uninstall', 'doctor'], undefined],
}
