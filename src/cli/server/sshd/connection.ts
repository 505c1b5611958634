import { SshjobError } from '../../../core/errors.js'
import type { ConnectionSpec } from '../../../sshd/match.js'

/**
 * The connection that -C describes, for -T: 'user=a,host=b,addr=c,laddr=d,lport=e,rdomain=f'.
 * @throws SshjobError 'usage'
 */
export function parseConnection(specs: readonly string[]): ConnectionSpec {
  const spec: ConnectionSpec = {}
  for (const part of specs.flatMap((text) => text.split(',')).filter((text) => text !== '')) {
    const equals = part.indexOf('=')
    const [name, value] = [part.slice(0, equals), part.slice(equals + 1)]
    if (equals < 0 || !assign(spec, name, value)) {
      throw new SshjobError('usage', `-C: '${part}' is not understood.`)
    }
  }
  return spec
}

function assign(spec: ConnectionSpec, name: string, value: string): boolean {
  switch (name) {
    case 'user':
      spec.user = value
      return true
    case 'host':
      spec.host = value
      return true
    case 'addr':
      spec.address = value
      return true
    case 'laddr':
      spec.localAddress = value
      return true
    case 'lport':
      spec.localPort = Number(value)
      return /^\d{1,5}$/.test(value)
    case 'rdomain':
      spec.routingDomain = value
      return true
    default:
      return false
  }
}
