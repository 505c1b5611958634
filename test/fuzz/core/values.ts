import fc from 'fast-check'
import { boolean, byte, string, uint32 } from '../../../src/ssh/wire.js'

/** Numbers at which something may go over, or under. */
export const INTERESTING: readonly number[] = [
  0,
  1,
  2,
  7,
  8,
  127,
  128,
  255,
  256,
  32_767,
  32_768,
  65_535,
  65_536,
  2 ** 18,
  2 ** 21,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
]

/** Random bytes, up to so many. */
export const bytes = (maxLength: number): fc.Arbitrary<Buffer> =>
  fc.uint8Array({ maxLength }).map((array) => Buffer.from(array))

export const number: fc.Arbitrary<number> = fc.oneof(
  fc.nat(8),
  fc.constantFrom(...INTERESTING),
  fc.nat(2 ** 32 - 1),
)
export const u32: fc.Arbitrary<Buffer> = number.map(uint32)
export const flag: fc.Arbitrary<Buffer> = fc.boolean().map(boolean)

/** One of these as an SSH string; now and then another. */
export const oneOf = (...texts: readonly (string | Buffer)[]): fc.Arbitrary<Buffer> =>
  fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...texts).map(string) }, bytes(30).map(string))

/** Fields one behind the other; what is no arbitrary stands there as it is. */
export function fields(...parts: readonly (Buffer | fc.Arbitrary<Buffer>)[]): fc.Arbitrary<Buffer> {
  return fc
    .tuple(...parts.map((part) => (Buffer.isBuffer(part) ? fc.constant(part) : part)))
    .map((list) => Buffer.concat(list))
}

/** A message of this type with these fields. */
export const message = (
  type: number,
  ...parts: readonly (Buffer | fc.Arbitrary<Buffer>)[]
): fc.Arbitrary<Buffer> => fields(byte(type), ...parts)

/** Any type with any fields. */
export const invented: fc.Arbitrary<Buffer> = fc
  .tuple(fc.nat(255), fc.array(fc.oneof(u32, flag, bytes(40), bytes(60).map(string)), { maxLength: 6 }))
  .map(([type, list]) => Buffer.concat([byte(type), ...list]))
