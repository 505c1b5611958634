import { FIND_OPTIONS, withOptions } from '../arguments/engine-options.js'
import { OPEN_OPTIONS } from '../open/options.js'
import type { Manual } from './manual.js'

export const manual: Manual = {
  name: 'sshjob open',
  summary: 'shows a port of the job in the browser here',
  calls: ['[options] JOB PORT'],
  description: [
    'Waits until PORT of the job answers, forwards it, prints its address here, and opens the browser if there is one. Stays until Ctrl-C, or until the job ends. The port here has the same number, if that is free.',
    'A job on this machine that shares its network with us needs no forwarding: its address is printed, and that is all.',
  ],
  options: withOptions(OPEN_OPTIONS, FIND_OPTIONS),
  operands: ['job', 'port', undefined],
  examples: [['sshjob open train 8888', 'a notebook that listens on 8888 in the job']],
}
