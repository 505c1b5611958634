import { SSH_ASK_TIMEOUT_MS } from '../../core/limits.js'
import { askHelper } from '../../process/helpers.js'

/** As ssh would be told not to warn, for a host that is none. */
const QUESTION = ['-F', 'none', '-o', 'WarnWeakCrypto=no-pq-kex', '-G', 'job']

/**
 * Whether the ssh of this user warns of every key exchange that a quantum computer could break, OpenSSH 10.1 and later:
 * an older one does not know the keyword.
 */
export function sshWarnsOfWeakKeyExchange(): Promise<boolean> {
  return new Promise((resolve) => {
    const child = askHelper('ssh', QUESTION, { timeout: SSH_ASK_TIMEOUT_MS }, (error) =>
      resolve(error === null),
    )
    child.stdin?.on('error', () => undefined).end()
  })
}
