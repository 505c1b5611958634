import { splitList } from '../core/patterns.js'
import { LISTEN, OPEN } from '../permissions/permits.js'
import { parseExpiry } from './expiry.js'
import { hasInvalidNetwork } from './patterns.js'
import { isPermit } from './permits.js'
import { refuseFileServer } from './subsystem.js'

/** The options before a key: sshd(8), AUTHORIZED_KEYS FILE FORMAT. */
export interface KeyOptions {
  command: string | undefined
  environment: ReadonlyMap<string, string>
  portForwarding: boolean
  agentForwarding: boolean
  x11Forwarding: boolean
  pty: boolean
  permitOpen: readonly string[] | undefined
  permitListen: readonly string[] | undefined
  /** Patterns of addresses that the client may come from. */
  from: readonly string[] | undefined
  /** Milliseconds since the epoch. */
  expiry: number | undefined
}

/** Options that change nothing here: there are no tunnels, no FIDO keys, and ~/.ssh/rc is never run. */
const WITHOUT_EFFECT = ['user-rc', 'no-user-rc', 'tunnel', 'no-touch-required']

/**
 * @param text what stands before the key, without the space behind it
 * @returns the sentence that says why no key is to be used with these options, where that is so
 */
export function parseKeyOptions(text: string): KeyOptions | string {
  const options: KeyOptions = {
    command: undefined,
    environment: new Map(),
    portForwarding: true,
    agentForwarding: true,
    x11Forwarding: true,
    pty: true,
    permitOpen: undefined,
    permitListen: undefined,
    from: undefined,
    expiry: undefined,
  }
  const environment = new Map<string, string>()
  let rest = text
  while (rest !== '') {
    const found = /^(?<name>[A-Za-z0-9-]+)(="(?<value>(?:\\"|[^"])*)")?(?:,|$)/s.exec(rest)?.groups
    if (found?.name === undefined) return `its options can't be read at '${rest.slice(0, 20)}'`
    rest = rest.slice(/^[A-Za-z0-9-]+(="(?:\\"|[^"])*")?,?/s.exec(rest)?.[0].length ?? rest.length)
    const problem = apply(options, environment, found.name.toLowerCase(), found.value?.replaceAll('\\"', '"'))
    if (problem !== undefined) return problem
  }
  return { ...options, environment }
}

const FLAGS = {
  'port-forwarding': 'portForwarding',
  'agent-forwarding': 'agentForwarding',
  'x11-forwarding': 'x11Forwarding',
  pty: 'pty',
} as const

function isFlag(name: string): name is keyof typeof FLAGS {
  return Object.hasOwn(FLAGS, name)
}

function apply(
  options: KeyOptions,
  environment: Map<string, string>,
  name: string,
  value: string | undefined,
): string | undefined {
  const positive = name.replace(/^no-/, '')
  if (isFlag(positive)) {
    options[FLAGS[positive]] = positive === name
    return value === undefined ? undefined : `${name} takes no value`
  }
  if (WITHOUT_EFFECT.includes(name)) return undefined
  if (name === 'restrict' && value === undefined) {
    for (const flag of Object.values(FLAGS)) options[flag] = false
    return undefined
  }
  if (value === undefined) return `its option ${name} is not supported`
  return applyValue(options, environment, name, value)
}

function applyValue(
  options: KeyOptions,
  environment: Map<string, string>,
  name: string,
  value: string,
): string | undefined {
  const twice = `it has more than one ${name}`
  switch (name) {
    case 'command':
      if (options.command !== undefined) return twice
      options.command = value
      return refuseFileServer(value)
    case 'environment': {
      const found = /^(?<key>[A-Za-z0-9_]+)=(?<text>.*)$/s.exec(value)?.groups
      if (found?.key === undefined) return `its environment '${value}' sets no variable`
      // Of two for one variable, the first: sshd(8).
      if (!environment.has(found.key)) environment.set(found.key, found.text ?? '')
      return undefined
    }
    case 'permitopen':
      options.permitOpen = [...(options.permitOpen ?? []), value]
      return isPermit(value, OPEN) ? undefined : `its permitopen '${value}' is no host and port`
    case 'permitlisten':
      options.permitListen = [...(options.permitListen ?? []), value]
      return isPermit(value, LISTEN) ? undefined : `its permitlisten '${value}' is no port, or host and port`
    case 'from':
      if (options.from !== undefined) return twice
      options.from = splitList(value)
      if (options.from.length === 0) return 'its from names nobody'
      return hasInvalidNetwork(options.from) ? `its from '${value}' has bits set behind a mask` : undefined
    case 'expiry-time': {
      const expiry = parseExpiry(value)
      if (expiry === undefined) return `its expiry-time '${value}' is no time`
      options.expiry = Math.min(options.expiry ?? expiry, expiry)
      return undefined
    }
    default:
      return `its option ${name} is not supported`
  }
}
