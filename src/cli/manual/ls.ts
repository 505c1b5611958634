import { FIND_OPTIONS, withOptions } from '../arguments/engine-options.js'
import { LS_OPTIONS } from '../ls/options.js'
import type { Manual } from './manual.js'

export const manual: Manual = {
  name: 'sshjob ls',
  summary: 'lists the jobs that you can enter here',
  calls: [
    ['[--json]', ...Object.entries(FIND_OPTIONS).map(([name, { value }]) => `[--${name} ${value}]`)].join(
      ' ',
    ),
  ],
  description: [
    'Lists the jobs that you can enter from here, and those of yours that are not running yet: id, state, host, since when, and the command, or the reason why it does not run.',
  ],
  options: withOptions(LS_OPTIONS, FIND_OPTIONS),
  operands: [],
}
