import fc from 'fast-check'
import { type Script, say } from './script.js'

/** The bytes of a script cut elsewhere: what a stream brings may be in any pieces, single bytes among them. */
export function inPieces(scripts: fc.Arbitrary<Script>): fc.Arbitrary<Script> {
  const cuts = fc.oneof(
    { weight: 3, arbitrary: fc.constant('as-they-are' as const) },
    { weight: 3, arbitrary: fc.array(fc.nat(400), { minLength: 1, maxLength: 5 }) },
    { weight: 1, arbitrary: fc.constant('single' as const) },
  )
  return fc.tuple(scripts, cuts).map(([script, at]) => {
    if (at === 'as-they-are') return script
    return script.flatMap((step) => {
      if (step.verb !== 'send') return [step]
      const { bytes } = step
      const places = at === 'single' ? [...bytes.keys()].slice(0, 400) : at
      const inside = [...new Set(places)].filter((place) => place > 0 && place < bytes.length)
      const ends = [...inside.sort((a, b) => a - b), bytes.length]
      return ends.map((end, index) => say(bytes.subarray(ends[index - 1] ?? 0, end)))
    })
  })
}
