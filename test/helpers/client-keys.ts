import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { HOST, writeSshConfig } from './openssh.js'
import type { TestUser } from './starter.js'

/** What a client has to be given that does not read ssh's configuration. */
export interface ClientKeys {
  /** The command of a shell whose input and output are the connection. */
  readonly proxy: string
  readonly identity: string
  readonly knownHosts: string
  /** The key of the last session, as OpenSSH writes it: 'ssh-ed25519 AAAA…'. */
  hostKey(): string
  /** Its SHA256 in base64, without padding. */
  fingerprint(): string
}

/** From what `sshjob ssh-config` prints. */
export async function clientKeys(user: TestUser): Promise<ClientKeys> {
  const config = readFileSync(await writeSshConfig(user), 'utf8')
  const values = (keyword: string): string[] =>
    [...config.matchAll(new RegExp(`^ +${keyword} (.*)$`, 'gm'))].map(([, value]) => value ?? '')
  const paths = (keyword: string): string[] =>
    values(keyword).flatMap((value) => [...value.matchAll(/"([^"]+)"/g)].map(([, path]) => path ?? ''))
  const [proxy = ''] = values('ProxyCommand')
  const identities = paths('IdentityFile')
  const [knownHosts = ''] = paths('UserKnownHostsFile')
  const hostKey = (): string => {
    const lines = readFileSync(knownHosts, 'utf8').trimEnd().split('\n')
    return (lines.findLast((line) => line.startsWith(`${HOST} ssh-ed25519 `)) ?? '').slice(HOST.length + 1)
  }
  return {
    proxy: proxy.replaceAll('%h', HOST).replaceAll('%%', '%'),
    identity: identities.find((path) => path.includes('ed25519')) ?? '',
    knownHosts,
    hostKey,
    fingerprint() {
      const blob = Buffer.from(hostKey().split(' ')[1] ?? '', 'base64')
      return createHash('sha256').update(blob).digest('base64').replaceAll('=', '')
    },
  }
}
