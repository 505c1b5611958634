import fc from 'fast-check'
import type { Script, Step } from './script.js'
import { INTERESTING } from './values.js'

/** One change of a script, as numbers alone: which step and which byte they mean is known once there is a script. */
export interface Mutation {
  kind: (typeof KINDS)[number]
  step: number
  at: number
  value: number
  bytes: Buffer
}

const KINDS = [
  'drop',
  'repeat',
  'swap',
  'cut-off',
  'count',
  'byte',
  'length',
  'insert',
  'remove',
  'shorten',
  'double',
  'number',
] as const

export const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom(...KINDS),
  step: fc.nat(),
  at: fc.nat(),
  value: fc.oneof(fc.constantFrom(...INTERESTING), fc.nat(2 ** 32 - 1)),
  bytes: fc.uint8Array({ maxLength: 20 }).map((array) => Buffer.from(array)),
})

/** Scripts, most of them changed in a few places. */
export function mutated(scripts: fc.Arbitrary<Script>): fc.Arbitrary<Script> {
  return fc
    .tuple(scripts, fc.array(mutation, { maxLength: 4 }))
    .map(([script, changes]) => changes.reduce(applyMutation, script))
}

export function applyMutation(script: Script, change: Mutation): Script {
  if (script.length === 0) return script
  const at = change.step % script.length
  const step = script[at]
  const other = change.at % script.length
  if (step === undefined) return script
  switch (change.kind) {
    case 'drop':
      return script.toSpliced(at, 1)
    case 'repeat':
      return script.toSpliced(at, 0, ...Array<Step>(1 + (change.value % 8)).fill(step))
    case 'swap':
      return script.with(at, script[other] ?? step).with(other, step)
    case 'cut-off':
      return script.slice(0, at + 1)
    case 'count':
      return script.with(at, { ...step, count: step.count === 0 ? 0 : change.value })
    default:
      return step.bytes.length === 0
        ? script
        : script.with(at, { ...step, bytes: changeBytes(step.bytes, change) })
  }
}

/** The first byte, which is the message's type mostly, is left alone: another type would be another message. */
function changeBytes(bytes: Buffer, { kind, at, value, bytes: more }: Mutation): Buffer {
  const place = bytes.length > 1 ? 1 + (at % (bytes.length - 1)) : 0
  const join = (...parts: Buffer[]): Buffer => Buffer.concat(parts)
  const changed = Buffer.from(bytes)
  switch (kind) {
    case 'byte':
      changed[place] = value & 0xff
      return changed
    case 'length':
      // One more or one less, where a length or a number ends most often.
      changed[place] = ((changed[place] ?? 0) + (value % 2 === 0 ? 1 : 255)) & 0xff
      return changed
    case 'number':
      if (bytes.length >= place + 4) changed.writeUInt32BE(value >>> 0, place)
      return changed
    case 'insert':
      return join(bytes.subarray(0, place), more, bytes.subarray(place))
    case 'remove':
      return join(bytes.subarray(0, place), bytes.subarray(place + 1 + (value % 8)))
    case 'shorten':
      return bytes.subarray(0, place)
    case 'double':
      return bytes.length > 65_536 ? changed : join(bytes, bytes.subarray(place))
    default:
      return changed
  }
}
