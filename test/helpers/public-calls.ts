import * as sshjob from '../../src/index.js'
import type { SessionPair } from './session-pair.js'

/** What is exported and is no call; the second is made by the compiler of the tests. */
const NO_CALLS = ['SshjobError', 'default']
/** Beyond the interface, a class may have methods for its own module; those are no calls of a user. */
const INTERNAL = ['process.abort', 'process.refusal']

/** The objects that a user of the library gets, by what they are called in sentences about wrong calls. */
export async function publicObjects({ client, served }: SessionPair): Promise<ReadonlyMap<string, object>> {
  return new Map<string, object>([
    ['connection', client],
    ['files', client.files],
    ['served', served],
    ['process', await client.exec('cat')],
    ['forwarding', await client.forwardLocal({ port: 0 }, { host: 'localhost', port: 1 })],
  ])
}

/** Every call that a user of the library can make: 'connect', 'files.stat'. */
export function publicCalls(objects: ReadonlyMap<string, object>): string[] {
  const exported = Object.keys(sshjob).filter((name) => !NO_CALLS.includes(name))
  const methods = [...objects].flatMap(([owner, target]) =>
    methodsOf(target).map((name) => `${owner}.${name}`),
  )
  return [...exported, ...methods].filter((name) => !INTERNAL.includes(name))
}

/** Every function of an object, its own and its class's, as a user sees them. */
function methodsOf(target: object): string[] {
  const classes = [target, Object.getPrototypeOf(target)].filter((each) => each !== Object.prototype)
  const names = new Set(classes.flatMap((each) => Object.getOwnPropertyNames(each)))
  return [...names].filter(
    (name) => name !== 'constructor' && typeof Reflect.get(target, name) === 'function',
  )
}
