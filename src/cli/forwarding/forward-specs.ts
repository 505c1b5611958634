import type { Endpoint, ListenAt } from '../../client/types.js'
import { usage } from '../arguments/options.js'

/** What -L, -R or -D asks for. */
export type ForwardSpec =
  | { kind: 'local' | 'remote'; from: ListenAt; to: Endpoint }
  | { kind: 'dynamic' | 'remote-dynamic'; from: ListenAt; to?: undefined }

/** -L, -R and -D. */
export type ForwardKind = 'local' | 'remote' | 'dynamic'

const FORM = '[BIND:]PORT:HOST:HOSTPORT, with the path of a socket for BIND:PORT or HOST:HOSTPORT'
const REMOTE_FORM = `${FORM}, or [BIND:]PORT alone`

/**
 * Reads the argument of ssh(1)'s -L and -R; the latter without a destination is a SOCKS server in the job.
 * @throws SshjobError 'usage'
 */
export function parseForward(kind: 'local' | 'remote', text: string): ForwardSpec {
  const form = kind === 'local' ? `-L takes ${FORM}` : `-R takes ${REMOTE_FORM}`
  const wrong = (): Error => usage(`${form}, not '${text}'.`)
  const alone = kind === 'remote' ? parseListen(text, 'remote') : undefined
  if (alone !== undefined) return { kind: 'remote-dynamic', from: alone }
  const fields = splitFields(text)
  const last = fields?.pop()
  if (fields === undefined || last === undefined) throw wrong()
  const to = isPath(last) ? { path: last } : endpoint(fields.pop(), last)
  const from = readListen(fields, kind)
  if (to === undefined || from === undefined) throw wrong()
  return { kind, from, to }
}

/** -D: where the SOCKS server listens. @throws SshjobError 'usage' */
export function parseDynamic(text: string): ForwardSpec {
  const from = parseListen(text, 'local')
  if (from === undefined || from.path !== undefined) throw usage(`-D takes [BIND:]PORT, not '${text}'.`)
  return { kind: 'dynamic', from }
}

/** The part of a forwarding that says where it listens, by itself; undefined for what is none. */
export function parseListen(text: string, kind: 'local' | 'remote'): ListenAt | undefined {
  const fields = splitFields(text)
  return fields === undefined ? undefined : readListen(fields, kind)
}

/** -W: where our input and output lead. @throws SshjobError 'usage' */
export function parseTarget(text: string): Endpoint {
  const fields = splitFields(text) ?? []
  const [first = '', last = '', ...more] = fields
  const target = fields.length === 1 && isPath(first) ? { path: first } : endpoint(first, last)
  if (target === undefined || more.length > 0)
    throw usage(`-W takes HOST:PORT or the path of a socket, not '${text}'.`)
  return target
}

/** Fields between colons; brackets keep an address of IPv6 together. */
function splitFields(text: string): string[] | undefined {
  if (!/^(\[[^\]]*\]|[^:[\]]*)(:(\[[^\]]*\]|[^:[\]]*))*$/.test(text)) return undefined
  const fields = `:${text}`.matchAll(/:(?:\[([^\]]*)\]|([^:[\]]*))/g)
  return [...fields].map(([, bracketed, plain]) => bracketed ?? plain ?? '')
}

function readListen(fields: string[], kind: 'local' | 'remote'): ListenAt | undefined {
  const [first = '', second] = fields
  if (fields.length === 1) {
    const port = portOf(first, 0)
    return isPath(first) ? { path: first } : port === undefined ? undefined : { port }
  }
  const port = portOf(second ?? '', 0)
  if (fields.length !== 2 || port === undefined || isPath(first)) return undefined
  // ssh(1): an empty address, or *, is every address. In the job, that is for the server to say.
  const every = first === '' || first === '*'
  return { host: every ? (kind === 'local' ? '0.0.0.0' : '') : first, port }
}

function endpoint(host: string | undefined, portText: string): Endpoint | undefined {
  const port = portOf(portText, 1)
  return host === undefined || host === '' || port === undefined ? undefined : { host, port }
}

function isPath(field: string): boolean {
  return field.includes('/')
}

/** The number of a port, from `least` on; undefined for what is none. */
export function portOf(text: string, least: number): number | undefined {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  return port >= least && port <= 65_535 ? port : undefined
}
