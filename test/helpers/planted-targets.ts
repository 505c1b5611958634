import fc from 'fast-check'
import { type Script, say } from '../fuzz/core/script.js'
import type { Target } from '../fuzz/core/target.js'

/** Targets with faults that fuzzing has to find: for its own test. */
function planted(name: string, isBad: (text: string) => boolean, goBad: () => void): Target {
  const words = fc.constantFrom('a', 'b', 'open', 'close', '!', 'quiet')
  return {
    name,
    scripts: fc.array(fc.array(words).map((list) => say(Buffer.from(list.join(' '))))),
    outcomes: ['fine'],
    open: async () => ({
      async run(script: Script) {
        if (isBad(script.map(({ bytes }) => bytes.toString()).join('|'))) goBad()
        return 'fine'
      },
      close: async () => undefined,
    }),
  }
}

export const TARGETS: readonly Target[] = [
  planted(
    'throws',
    (text) => /open[^|]*!/.test(text),
    () => {
      throw new Error('planted')
    },
  ),
  planted(
    'rejects',
    (text) => text.includes('close'),
    () => void Promise.reject(new Error('planted, and nobody hears it')),
  ),
  planted(
    'dies',
    (text) => text.includes('quiet'),
    () => process.kill(process.pid, 'SIGKILL'),
  ),
  planted(
    'sound',
    () => false,
    () => undefined,
  ),
]
