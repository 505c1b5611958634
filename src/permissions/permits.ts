import { SshjobError } from '../core/errors.js'
import type { PermittedPort } from './permissions.js'

export type Permit = PermittedPort | { path: string }

/** The forms of what may be connected to, and of what may be listened on. */
export const OPEN = 'HOST:PORT'
export const LISTEN = 'PORT or HOST:PORT'
export type Form = typeof OPEN | typeof LISTEN

/** @throws SshjobError 'usage' for a text that is neither of this form nor the path of a socket */
export function parsePermit(text: string, form: Form): Permit {
  if (text.startsWith('/')) return { path: text }
  const alone = form === OPEN ? null : /^(?<port>\d+|\*)$/.exec(text)
  const groups = (alone ?? /^(\[(?<bracketed>[^\]]+)\]|(?<host>[^:[\]]+)):(?<port>\d+|\*)$/.exec(text))
    ?.groups
  const port = groups?.port === '*' ? '*' : Number(groups?.port)
  if (groups === undefined || (port !== '*' && !(port <= 65_535))) {
    throw new SshjobError('usage', `'${text}' permits nothing: write ${form} or the path of a socket.`)
  }
  return { host: groups.bracketed ?? groups.host ?? '*', port }
}

export const isPath = (permit: Permit): permit is { path: string } => 'path' in permit
export const isPort = (permit: Permit): permit is PermittedPort => !isPath(permit)
