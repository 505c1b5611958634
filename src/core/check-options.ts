import { isDate, isUint8Array } from 'node:util/types'
import { SshjobError } from './errors.js'

/** What is wrong with a value, as the end of a sentence that begins with its name; undefined if nothing is. */
export type Check = (value: unknown, name: string) => string | undefined

/** A check for each option of T, and for nothing else: the compiler sees to it that none is forgotten. */
export type Schema<T> = { readonly [Name in keyof Required<T>]: Check }

const MAX_TEXT = 40
/** What setTimeout() takes: beyond, it fires at once. */
const MAX_MS = 2 ** 31 - 1

const kind =
  (words: string, fits: (value: unknown) => boolean): Check =>
  (value, name) =>
    fits(value) ? undefined : `${name} has to be ${words}; it is ${show(value)}`

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null
const has = (value: unknown, methods: readonly string[]): boolean =>
  isObject(value) && methods.every((method) => typeof value[method] === 'function')

/** What makes no sense beside another option. */
export const absent = kind('left out', (value) => value === undefined)
export const text = kind('a string', (value) => typeof value === 'string')
export const name = kind(
  'a string with something in it',
  (value) => typeof value === 'string' && value !== '',
)
export const flag = kind('true or false', (value) => typeof value === 'boolean')
export const textOrBytes = kind(
  'a string or bytes',
  (value) => typeof value === 'string' || isUint8Array(value),
)
export const callback = kind('a function', (value) => typeof value === 'function')
export const date = kind('a Date that is a time', (value) => isDate(value) && !Number.isNaN(value.getTime()))
export const logger = kind('a logger with the methods debug, info, warn and error', (value) =>
  has(value, ['debug', 'info', 'warn', 'error']),
)
export const abortSignal = kind(
  'an AbortSignal',
  (value) => has(value, ['addEventListener']) && isObject(value) && typeof value.aborted === 'boolean',
)
export const ourError = kind(
  'an SshjobError',
  (value) => isObject(value) && value.name === 'SshjobError' && typeof value.message === 'string',
)
export const readable = kind('a Readable stream', (value) => has(value, ['on', 'pipe']))
export const writable = kind('a Writable stream', (value) => has(value, ['on', 'write', 'end']))
export const duplex = kind('a Duplex stream', (value) => has(value, ['on', 'pipe', 'write', 'destroy']))
export const bytesByName = kind(
  'a Map of names and Buffers',
  (value) => has(value, ['get', 'entries', 'keys']) && !Array.isArray(value),
)
/** A length of time. setTimeout() takes no more. */
export const milliseconds = number(`a number of milliseconds from 0 to ${MAX_MS}`, 0, MAX_MS)
export const finite = kind('a number', (value) => Number.isFinite(value))
export const port = integer(0, 65_535)
export const mode = integer(0, 0o7777)
export const count = integer(0, Number.MAX_SAFE_INTEGER)
/** What RFC 4254 sends as uint32. */
export const uint32 = integer(0, 2 ** 32 - 1)

function number(words: string, least: number, most: number): Check {
  return kind(words, (value) => typeof value === 'number' && value >= least && value <= most)
}

export function integer(least: number, most: number): Check {
  return kind(
    `a whole number from ${least} to ${most}`,
    (value) => Number.isInteger(value) && Number(value) >= least && Number(value) <= most,
  )
}

/** An object that is known by its methods. */
export function objectWith(words: string, ...methods: readonly string[]): Check {
  return kind(words, (value) => has(value, methods))
}

export function oneOf(...values: readonly (string | number | boolean | null)[]): Check {
  return (value, option) => {
    if (values.some((known) => known === value)) return undefined
    const given = typeof value === 'string' && value !== '' ? `'${cut(value)}'` : show(value)
    return `${option} has to be one of ${values.join(', ')}; it is ${given}`
  }
}

export function listOf(entry: Check): Check {
  return (value, list) => {
    if (!Array.isArray(value)) return `${list} has to be an array; it is ${show(value)}`
    for (const [index, each] of value.entries()) {
      const complaint = entry(each, `${list}[${index}]`)
      if (complaint !== undefined) return complaint
    }
    return undefined
  }
}

/** The values of an object, whatever their names. */
export function valuesOf(entry: Check): Check {
  return (value, record) => {
    if (!isPlain(value)) return `${record} has to be an object; it is ${show(value)}`
    for (const [key, each] of Object.entries(value)) {
      const complaint = each === undefined ? undefined : entry(each, `${record}.${key}`)
      if (complaint !== undefined) return complaint
    }
    return undefined
  }
}

/** One of several kinds. Of a wrong object, the last one says what is wrong with it; `words` says what there is. */
export function either(words: string, ...checks: readonly Check[]): Check {
  return (value, either) => {
    const complaints = checks.map((check) => check(value, either))
    if (complaints.includes(undefined)) return undefined
    return isPlain(value) ? complaints.at(-1) : `${either} has to be ${words}; it is ${show(value)}`
  }
}

/** An option that can't be left out. */
export function required(check: Check): Check {
  return Object.assign<Check, { required: true }>((value, option) => check(value, option), { required: true })
}

/** An object of options. What is undefined counts as left out. */
export function options<T>(schema: Schema<T>): Check {
  const checks = new Map<string, Check>(Object.entries(schema))
  return (value, record) => {
    if (!isPlain(value)) return `${record} has to be an object; it is ${show(value)}`
    const stranger = Object.keys(value).find((key) => !checks.has(key))
    if (stranger !== undefined) {
      return `${record} has no '${cut(stranger)}'; what it may have: ${[...checks.keys()].join(', ')}`
    }
    for (const [key, check] of checks) {
      const given = value[key]
      if (given === undefined && !('required' in check)) continue
      const complaint = check(given, `${record}.${key}`)
      if (complaint !== undefined) return complaint
    }
    return undefined
  }
}

const isPlain = (value: unknown): value is Readonly<Record<string, unknown>> =>
  isObject(value) && !Array.isArray(value) && !isUint8Array(value)

/** An argument of a call: its name, and what it has to be. */
export type Argument = readonly [name: string, check: Check]

/** An argument that may be left out. */
export function optional(argument: string, check: Check): Argument {
  return [argument, (value, given) => (value === undefined ? undefined : check(value, given))]
}

/**
 * Checks what a call of the library was given.
 * @param call its name: 'connect'
 * @throws SshjobError 'usage' that names the call, and the argument or option that is wrong
 */
export function checkCall(call: string, given: readonly unknown[], expected: readonly Argument[]): void {
  for (const [index, [argument, check]] of expected.entries()) {
    const complaint = check(given[index], argument)
    if (complaint !== undefined) throw new SshjobError('usage', `${call}(): ${complaint}.`)
  }
}

/** How a method tells that its call was wrong: by a promise that rejects, or by throwing. */
export interface CheckedMethod {
  readonly arguments: readonly Argument[]
  readonly fails: 'rejecting' | 'throwing'
}

export const rejecting = (...expected: readonly Argument[]): CheckedMethod => ({
  arguments: expected,
  fails: 'rejecting',
})
export const throwing = (...expected: readonly Argument[]): CheckedMethod => ({
  arguments: expected,
  fails: 'throwing',
})

type MethodsOf<T> = {
  [Name in keyof T & string as T[Name] extends (...args: never[]) => unknown ? Name : never]: CheckedMethod
}

/** The object, each of whose methods checks first what it was given. */
export function checkedMethods<T extends object>(owner: string, target: T, methods: MethodsOf<T>): T {
  const wrappers = Object.entries<CheckedMethod>(methods).map(([method, { arguments: expected, fails }]) => {
    const act: unknown = Reflect.get(target, method)
    if (typeof act !== 'function') throw new SshjobError('internal', `${owner}.${method}() is not there.`)
    const checked = (...given: readonly unknown[]): unknown => {
      checkCall(`${owner}.${method}`, given, expected)
      return Reflect.apply(act, target, given)
    }
    return [
      method,
      fails === 'throwing' ? checked : async (...given: readonly unknown[]) => checked(...given),
    ] as const
  })
  return Object.assign(target, Object.fromEntries(wrappers))
}

function cut(value: string): string {
  return value.length <= MAX_TEXT ? value : `${value.slice(0, MAX_TEXT)}...`
}

/** What a value is, for people. Of a string only that it is one: it may be a key. */
function show(value: unknown): string {
  if (value === undefined) return 'missing'
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (value === '') return 'an empty string'
  if (Array.isArray(value)) return 'an array'
  return isUint8Array(value) ? 'bytes' : typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
