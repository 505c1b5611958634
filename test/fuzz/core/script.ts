/** One thing that an adversary does. What the verbs mean is for the target to say. */
export interface Step {
  readonly verb: string
  readonly bytes: Buffer
  readonly count: number
}

/** A case: what is done, in this order. It says all that there is to say, so that it can be kept and done again. */
export type Script = readonly Step[]

const EMPTY = Buffer.alloc(0)

export const say = (bytes: Buffer, verb = 'send', count = 0): Step => ({ verb, bytes, count })
export const act = (verb: string, count = 0): Step => ({ verb, bytes: EMPTY, count })

/** A script as people and files have it: bytes that are text stand there as text. */
export function encodeScript(script: Script): object[] {
  return script.map(({ verb, bytes, count }) => ({
    verb,
    ...(count === 0 ? {} : { count }),
    ...(bytes.length === 0 ? {} : encodeBytes(bytes)),
  }))
}

/** @throws TypeError for what encodeScript() doesn't make */
export function decodeScript(value: unknown): Script {
  if (!Array.isArray(value)) throw new TypeError('a script is a list')
  return value.map((step: unknown) => {
    const { verb, count, text, hex } = fieldsOf(step)
    if (typeof verb !== 'string') throw new TypeError('a step has a verb')
    const bytes =
      typeof text === 'string' ? Buffer.from(text) : typeof hex === 'string' ? fromHex(hex) : EMPTY
    return { verb, bytes, count: typeof count === 'number' ? count : 0 }
  })
}

export function fieldsOf(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) throw new TypeError('this is no object')
  return { ...value }
}

function encodeBytes(bytes: Buffer): { text: string } | { hex: string } {
  const text = bytes.toString()
  return /^[\t\r\n -~]*$/.test(text) ? { text } : { hex: bytes.toString('hex') }
}

function fromHex(hex: string): Buffer {
  const bytes = Buffer.from(hex, 'hex')
  if (bytes.length * 2 !== hex.length) throw new TypeError('these are no hexadecimal digits')
  return bytes
}
