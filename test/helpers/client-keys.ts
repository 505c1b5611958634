import { readFileSync } from 'node:fs'
import { HOST, writeSshConfig } from './openssh.js'
import type { TestUser } from './starter.js'

/** What a client has to be given that does not read ssh's configuration. */
export interface ClientKeys {
  /** The configuration itself. */
  readonly config: string
  /** The command of a shell whose input and output are the connection. */
  readonly proxy: string
  readonly identities: Readonly<Record<'ed25519' | 'ecdsa', string>>
  readonly knownHosts: string
  /** The keys of the last session, as OpenSSH writes them: 'ssh-ed25519 AAAA…'. */
  hostKeys(): string[]
}

/** From what `sshjob ssh-config` prints. */
export async function clientKeys(user: TestUser): Promise<ClientKeys> {
  const config = await writeSshConfig(user)
  const text = readFileSync(config, 'utf8')
  const values = (keyword: string): string[] =>
    [...text.matchAll(new RegExp(`^ +${keyword} (.*)$`, 'gm'))].map(([, value]) => value ?? '')
  const [[proxy = ''], identities, [knownHosts = '']] = [
    values('ProxyCommand'),
    values('IdentityFile'),
    values('UserKnownHostsFile'),
  ]
  const identity = (kind: string): string => identities.find((path) => path.endsWith(`id_${kind}`)) ?? ''
  return {
    config,
    proxy: proxy.replaceAll('%h', HOST).replaceAll('%%', '%'),
    identities: { ed25519: identity('ed25519'), ecdsa: identity('ecdsa') },
    knownHosts,
    hostKeys() {
      const lines = readFileSync(knownHosts, 'utf8').trimEnd().split('\n')
      return ['ssh-ed25519', 'ecdsa-sha2-nistp256'].map((type) => {
        const line = lines.findLast((one) => one.startsWith(`${HOST} ${type} `))
        if (line === undefined) throw new Error(`There is no key of ${type} in ${knownHosts}.`)
        return line.slice(HOST.length + 1)
      })
    },
  }
}
