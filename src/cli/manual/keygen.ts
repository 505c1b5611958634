import { KEYGEN_OPTIONS } from '../keygen/options.js'
import type { Manual } from './manual.js'

export const manual: Manual = {
  name: 'sshjob-keygen',
  summary: 'makes keys for SSH where there is no ssh-keygen',
  calls: ['[options] -f FILE'],
  description: ['Makes a pair of keys for SSH in the formats of OpenSSH, or shows one.'],
  options: KEYGEN_OPTIONS,
  operands: [],
  examples: [
    ['sshjob-keygen -t ed25519 -f key', 'the private half in key, the public one in key.pub'],
    ['sshjob-keygen -l -f key', 'the fingerprint of a key'],
  ],
}
