import { closeSync, fstatSync, openSync } from 'node:fs'
import { messageOf, SshjobError } from '../core/errors.js'
import { HOST_KEY_MAX_BYTES } from '../core/limits.js'
import type { Logger } from '../core/log.js'
import { hostKeyAlgorithms } from '../ssh/algorithms.js'
import type { HostKey } from '../ssh/host-keys.js'
import { isShortRsa, type ParsedKey, parseKey } from '../ssh/keys.js'
import { chooseAlgorithms } from './algorithm-list.js'
import type { Config } from './config.js'
import { readDescriptorAtMost } from './read-at-most.js'

/** Where sshd looks when nothing is configured. */
const PRESET = ['rsa', 'ecdsa', 'ed25519'].map((type) => `/etc/ssh/ssh_host_${type}_key`)

/**
 * Loads the host keys, in the order of what they are offered by. As sshd does, one that can't be used is passed over
 * with a word in the log, as long as there is another.
 * @throws SshjobError 'usage' where none can be used
 */
export function loadHostKeys(config: Config, more: readonly string[], log: Logger): HostKey[] {
  const configured = [...more, ...config.all('HostKey').map(([file = '']) => file)]
  const files = configured.filter((file) => file.toLowerCase() !== 'none')
  const reasons: string[] = []
  const keys: ParsedKey[] = []
  for (const file of configured.length === 0 ? PRESET : new Set(files)) {
    try {
      keys.push(loadHostKey(file, config.number('RequiredRSASize')))
    } catch (error) {
      reasons.push(messageOf(error))
      log.warn({ file, reason: messageOf(error) }, 'a host key is not used')
    }
  }
  const names = chooseAlgorithms('HostKeyAlgorithms', config.word('HostKeyAlgorithms'))
  const usable = names.flatMap((algorithm) =>
    keys.filter((key) => canSign(key, algorithm)).map((key) => ({ algorithm, key })),
  )
  if (usable.length > 0) return usable
  const why = reasons[0] ?? 'No HostKey has an algorithm of HostKeyAlgorithms that sshjob-server has.'
  throw new SshjobError('usage', `There is no host key that can be used. ${why}`)
}

/** With its own name as well, which for RSA is SHA-1. */
function canSign({ type }: ParsedKey, algorithm: string): boolean {
  return algorithm === type || hostKeyAlgorithms(type).includes(algorithm)
}

function loadHostKey(file: string, rsaSize: number): ParsedKey {
  const key = parsePrivateKey(file, readPrivateFile(file))
  if (isShortRsa(key.getPublicSSH(), rsaSize))
    throw new SshjobError('usage', `${file} is shorter than RequiredRSASize.`)
  if (
    hostKeyAlgorithms(key.type).every(
      (name) => !chooseAlgorithms('HostKeyAlgorithms', undefined).includes(name),
    )
  ) {
    throw new SshjobError('usage', `${file} is of the type ${key.type}, which sshjob-server does not have.`)
  }
  return key
}

function parsePrivateKey(file: string, text: string): ParsedKey {
  try {
    const key = parseKey(text)
    if (key.isPrivateKey()) return key
  } catch (error) {
    const message = `${file} is no key of a type that is known here, or has a passphrase.`
    throw new SshjobError('usage', message, { cause: error })
  }
  throw new SshjobError('usage', `${file} holds no private key.`)
}

/** As sshd reads a private key: not where others could have read it too (sshkey_perm_ok in authfile.c). */
function readPrivateFile(file: string): string {
  let fd: number | undefined
  try {
    fd = openSync(file, 'r')
    const { uid, mode } = fstatSync(fd)
    if (uid === process.getuid?.() && (mode & 0o077) !== 0) {
      throw new SshjobError(
        'usage',
        `Others may read ${file}, mode ${(mode & 0o7777).toString(8)}: chmod 600 it.`,
      )
    }
    return readDescriptorAtMost(fd, HOST_KEY_MAX_BYTES).toString('utf8')
  } catch (error) {
    if (error instanceof SshjobError) throw error
    throw new SshjobError('usage', `${file} can't be read: ${messageOf(error)}.`, {
      cause: error,
    })
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}
