import { everything, type ForwardingPermissions, type Permissions } from './permissions.js'
import { type Form, isPath, isPort, LISTEN, OPEN, parsePermit } from './permits.js'

/** Which forwardings a client may ask for: see ServeOptions. */
export interface ForwardingOptions {
  /**
   * 'local': connections from the client's side into the job (`ssh -L`, `-D`, `-W`). 'remote': sockets in the job whose
   * connections go to the client's side (`ssh -R`). 'none' forbids the agent and X11 as well. Default: 'all', because
   * whoever has a session may run programs in it that connect and listen all the same; it keeps nobody out.
   */
  forwarding?: 'none' | 'local' | 'remote' | 'all'
  /**
   * Where `local` may lead, if not everywhere: 'HOST:PORT', with '*' for any port, or '/path/of/a/socket'. Hosts are
   * patterns ('*.example.org'), compared as the client writes them; names are not looked up (sshd_config(5) PermitOpen).
   */
  permitOpen?: readonly string[]
  /** What `remote` may listen on, if not on everything: 'PORT', 'HOST:PORT' or '/path/of/a/socket', as above. */
  permitListen?: readonly string[]
}

export const FORWARDING_MODES = ['none', 'local', 'remote', 'all'] as const

const STARTER = "the job's starter"

/** What a job's starter permits. @throws SshjobError 'usage' for an entry that is none */
export function starterPermissions(options: ForwardingOptions): Permissions {
  const { forwarding = 'all' } = options
  const allows = (mode: 'local' | 'remote'): boolean => forwarding === 'all' || forwarding === mode
  const open = places(options.permitOpen, OPEN)
  const listen = places(options.permitListen, LISTEN)
  const permitted: ForwardingPermissions = {
    open: allows('local') ? open.ports : 'none',
    openUnix: allows('local') ? open.paths : 'none',
    listen: allows('remote') ? listen.ports : 'none',
    listenUnix: allows('remote') ? listen.paths : 'none',
  }
  const session = forwarding !== 'none'
  return { ...everything(STARTER), forwarding: permitted, agent: session, x11: session }
}

function places(texts: readonly string[] | undefined, form: Form) {
  if (texts === undefined) return { ports: 'all', paths: 'all' } as const
  const permits = texts.map((text) => parsePermit(text, form))
  return { ports: permits.filter(isPort), paths: permits.filter(isPath).map(({ path }) => path) }
}
