import fc from 'fast-check'

/** Random bytes, up to so many. */
export const bytes = (maxLength: number): fc.Arbitrary<Buffer> =>
  fc.uint8Array({ maxLength }).map((array) => Buffer.from(array))

/** What may happen to a message: mostly nothing; bytes behind its type changed, its end cut off, or more behind it. */
export const mutation: fc.Arbitrary<(message: Buffer) => Buffer> = fc.oneof(
  { weight: 12, arbitrary: fc.constant((message: Buffer) => message) },
  {
    weight: 3,
    arbitrary: fc
      .array(fc.tuple(fc.nat(), fc.constantFrom(0, 1, 127, 128, 255)), { minLength: 1, maxLength: 3 })
      .map((changes) => (message: Buffer) => {
        const changed = Buffer.from(message)
        for (const [at, value] of changes)
          if (changed.length > 1) changed[1 + (at % (changed.length - 1))] = value
        return changed
      }),
  },
  {
    weight: 2,
    arbitrary: fc.nat().map((at) => (message: Buffer) => message.subarray(0, 1 + (at % message.length))),
  },
  { weight: 1, arbitrary: bytes(20).map((more) => (message: Buffer) => Buffer.concat([message, more])) },
)
