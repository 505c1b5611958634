import fs from 'node:fs/promises'
import path from 'node:path'
import { run } from './processes.js'

/** The same two key pairs serve both servers: the peers differ in nothing but their programs. */
export interface Keys {
  /** Files of private keys. */
  hostKey: string
  identity: string
  /** Lines of public keys, without comment. */
  hostPublicKey: string
  clientPublicKey: string
  knownHosts: string
}

/** What the host is called in knownHosts, whatever its port. */
export const HOST_ALIAS = 'bench'

export async function makeKeys(directory: string): Promise<Keys> {
  const hostKey = path.join(directory, 'host_key')
  const identity = path.join(directory, 'identity')
  const knownHosts = path.join(directory, 'known_hosts')
  for (const file of [hostKey, identity])
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', file])
  const publicKey = async (file: string): Promise<string> => (await fs.readFile(`${file}.pub`, 'utf8')).trim()
  const [hostPublicKey, clientPublicKey] = await Promise.all([publicKey(hostKey), publicKey(identity)])
  await fs.writeFile(knownHosts, `${HOST_ALIAS} ${hostPublicKey}\n`)
  return { hostKey, identity, hostPublicKey, clientPublicKey, knownHosts }
}

/** The same key exchange and cipher with every server, as options of ssh(1). */
export const PINS = ['-o', 'KexAlgorithms=curve25519-sha256', '-o', 'Ciphers=aes128-gcm@openssh.com']

/** Arguments for ssh(1) up to the host, no file of the user's among what is read. */
export function sshArguments(keys: Keys, port: number, user: string): string[] {
  const options = [
    `Port=${port}`,
    `User=${user}`,
    `HostKeyAlias=${HOST_ALIAS}`,
    `UserKnownHostsFile=${keys.knownHosts}`,
    'StrictHostKeyChecking=yes',
    'HostKeyAlgorithms=ssh-ed25519',
    'IdentitiesOnly=yes',
    'IdentityAgent=none',
    'LogLevel=ERROR',
  ]
  return [
    '-F',
    'none',
    ...PINS,
    ...options.flatMap((option) => ['-o', option]),
    '-i',
    keys.identity,
    '127.0.0.1',
  ]
}
