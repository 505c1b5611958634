import { DEMO_OPTIONS } from '../demo-options.js'
import type { Manual } from './manual.js'

export const manual: Manual = {
  name: 'sshjob demo',
  summary: 'shows all of it with a small job',
  calls: [''],
  description: [
    'Starts a small job in a temporary folder, runs commands and a terminal in it, shows what came back, and removes it all. Asks nothing.',
  ],
  options: DEMO_OPTIONS,
  operands: [],
}
