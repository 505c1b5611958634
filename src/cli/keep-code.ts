/** The launcher, which looks at it when the program ends, is in a file of its own. */
const KEEP = Symbol.for('sshjob.keep-code')

/**
 * Has what V8 has compiled by the end of this run kept for the next ones. To be called in runs that do what most will
 * do: V8 keeps what has run, and `--version` runs next to nothing. Servers don't: a job's end is not to wait for that.
 */
export function keepCode(): void {
  Reflect.set(globalThis, KEEP, true)
}

export function shouldKeepCode(): boolean {
  return Reflect.get(globalThis, KEEP) === true
}
