import { SshjobError } from '../../core/errors.js'
import { formatAddress } from '../../sockets/tcp.js'

/** Which forwardings a client may ask for: see ServeOptions. */
export interface ForwardingOptions {
  /**
   * 'local': connections from the client's side into the job (`ssh -L`, `-D`, `-W`). 'remote': sockets in the job whose
   * connections go to the client's side (`ssh -R`). 'none' forbids the agent and X11 as well. Default: 'all', because
   * whoever has a session may run programs in it that connect and listen all the same; it keeps nobody out.
   */
  forwarding?: 'none' | 'local' | 'remote' | 'all'
  /**
   * Where `local` may lead, if not everywhere: 'HOST:PORT', with '*' for any host or any port, or '/path/of/a/socket'.
   * Hosts are compared as the client writes them; names are not looked up (sshd_config(5) PermitOpen).
   */
  permitOpen?: readonly string[]
  /** What `remote` may listen on, if not on everything: 'PORT', 'HOST:PORT' or '/path/of/a/socket', '*' as above. */
  permitListen?: readonly string[]
}

export const FORWARDING_MODES = ['none', 'local', 'remote', 'all'] as const

/** Each answers with undefined, or the sentence that says why not. */
export interface ForwardingPolicy {
  open(host: string, port: number): string | undefined
  openUnix(path: string): string | undefined
  listen(host: string, port: number): string | undefined
  listenUnix(path: string): string | undefined
  agent(): string | undefined
  x11(): string | undefined
  /** Who may connect to what a client listens on: sshd_config(5) GatewayPorts. Default: 'no', this machine alone. */
  readonly gatewayPorts?: GatewayPorts
  /** Whether a socket that a client listens on takes the place of one that is there: sshd_config(5)
   *  StreamLocalBindUnlink. Default: no. */
  readonly replacesSockets?: boolean
  /** Where displays are. Default: from X11_DISPLAY_OFFSET on, on this machine alone. */
  readonly displays?: Displays
}

/** The number of the first display, and whether other machines may not connect: sshd_config(5) X11UseLocalhost. */
export interface Displays {
  offset: number
  localhost: boolean
}

/** 'yes': everybody; 'clientspecified': whoever the client says. */
export type GatewayPorts = 'no' | 'yes' | 'clientspecified'

export type Permit = { host: string; port: number | '*' } | { path: string }

/** @throws SshjobError 'usage' for an entry that is none */
export function makePolicy(options: ForwardingOptions): ForwardingPolicy {
  const { forwarding = 'all' } = options
  const open = options.permitOpen?.map((text) => parsePermit(text, 'HOST:PORT'))
  const listen = options.permitListen?.map((text) => parsePermit(text, 'PORT or HOST:PORT'))
  const unless = (mode: 'local' | 'remote'): string | undefined =>
    forwarding === 'all' || forwarding === mode ? undefined : `the job's starter allows no ${mode} forwarding`
  const check = (mode: 'local' | 'remote', permits: readonly Permit[] | undefined, wish: Permit) =>
    unless(mode) ??
    (permits === undefined || permits.some((permit) => covers(permit, wish))
      ? undefined
      : `the job's starter does not permit ${describe(wish)}`)
  const session = () => (forwarding === 'none' ? "the job's starter allows no forwarding" : undefined)
  return {
    open: (host, port) => check('local', open, { host, port }),
    openUnix: (path) => check('local', open, { path }),
    listen: (host, port) => check('remote', listen, { host, port }),
    listenUnix: (path) => check('remote', listen, { path }),
    agent: session,
    x11: session,
  }
}

function covers(permit: Permit, wish: Permit): boolean {
  if ('path' in permit) return 'path' in wish && permit.path === wish.path
  if ('path' in wish) return false
  const host = permit.host === '*' || permit.host.toLowerCase() === wish.host.toLowerCase()
  return host && (permit.port === '*' || permit.port === wish.port)
}

function describe(wish: Permit): string {
  return 'path' in wish ? wish.path : formatAddress(wish.host, wish.port)
}

export function parsePermit(text: string, form: 'HOST:PORT' | 'PORT or HOST:PORT'): Permit {
  if (text.startsWith('/')) return { path: text }
  const alone = form === 'HOST:PORT' ? null : /^(?<port>\d+|\*)$/.exec(text)
  const groups = (alone ?? /^(\[(?<bracketed>[^\]]+)\]|(?<host>[^:[\]]+)):(?<port>\d+|\*)$/.exec(text))
    ?.groups
  const port = groups?.port === '*' ? '*' : Number(groups?.port)
  if (groups === undefined || (port !== '*' && !(port <= 65_535))) {
    throw new SshjobError('usage', `'${text}' permits nothing: write ${form} or the path of a socket.`)
  }
  return { host: groups.bracketed ?? groups.host ?? '*', port }
}
