import { randomBytes } from 'node:crypto'
import fs from 'node:fs/promises'
import path from 'node:path'
import { SshjobError, systemCode } from '../core/errors.js'
import { statIfThere } from './claim.js'
import { makePrivateDirectory, runtimeDirectory } from './local/runtime-directory.js'

const PEM = /^-----BEGIN (OPENSSH|EC) PRIVATE KEY-----\s+([A-Za-z0-9+/=\s]+)-----END \1 PRIVATE KEY-----\s*$/
const KEY_MAGIC = 'openssh-key-v1\0'
/** An ECPrivateKey on nistp256 around its 32 secret bytes, up to the point: RFC 5915 §3. */
const SEC1_START = Buffer.from('30770201010420', 'hex')
const SEC1_MIDDLE = Buffer.from('a00a06082a8648ce3d030107a144034200', 'hex')
const SEC1_SECRET_BYTES = 32
const SEC1_BYTES = 121

/** What the stock OpenSSH client of a user needs to enter jobs. */
export interface OpensshFiles {
  /** Private to the user. */
  readonly directory: string
  /** The private keys, for IdentityFile: the second for clients that may not use the first, or don't know its kind. */
  readonly identities: readonly [ed25519: string, ecdsa: string]
  /** For UserKnownHostsFile. */
  readonly knownHosts: string
}

/** What makes a private key of each kind, as the text of a file. */
export interface KeyMakers {
  ed25519: () => { privateKey: string }
  ecdsa: () => { privateKey: string }
}

/**
 * The paths, without making anything but the directory.
 * @param given where they are. Default: in the first runtime directory that can be used
 * @throws SshjobError 'unsafe-directory' if it can't be made, or is not the user's alone
 */
export async function opensshFiles(given?: string): Promise<OpensshFiles> {
  const directory = given ?? path.join(await runtimeDirectory(), 'openssh')
  // After a boot, the one above may be gone as well. runtimeDirectory() has made its own.
  if (given !== undefined && (await statIfThere(path.dirname(directory))) === undefined)
    await makePrivateDirectory(path.dirname(directory))
  await makePrivateDirectory(directory)
  const file = (name: string): string => path.join(directory, name)
  return {
    directory,
    identities: [file('id_ed25519'), file('id_ecdsa')],
    knownHosts: file('known_hosts'),
  }
}

/**
 * The public keys ('ssh-ed25519 AAAA…') of the identities, which are made if they are not there: complete at once, by
 * link(2), and once, however many ask at the same time.
 * @throws SshjobError 'unsafe-directory' if a file is not a private key that only this user can read
 */
export async function ensureIdentities(
  { identities: [ed25519, ecdsa] }: OpensshFiles,
  make: KeyMakers,
): Promise<[ed25519: string, ecdsa: string]> {
  return Promise.all([ensureIdentity(ed25519, make.ed25519), ensureIdentity(ecdsa, make.ecdsa)])
}

async function ensureIdentity(file: string, make: () => { privateKey: string }): Promise<string> {
  if ((await statIfThere(file)) === undefined) await makeIdentity(file, make().privateKey)
  const status = await fs.lstat(file)
  if (!status.isFile() || status.uid !== process.geteuid?.() || (status.mode & 0o077) !== 0) {
    throw new SshjobError('unsafe-directory', `${file} is not a private file of yours: remove it.`)
  }
  const publicKey = publicKeyOf(await fs.readFile(file, 'utf8'))
  if (publicKey !== undefined) return publicKey
  throw new SshjobError('unsafe-directory', `${file} is not a private key of OpenSSH: remove it.`)
}

async function makeIdentity(identity: string, privateKey: string): Promise<void> {
  const temporary = `${identity}.${randomBytes(6).toString('hex')}`
  try {
    await fs.writeFile(temporary, privateKey, { flag: 'wx', mode: 0o600 })
    await fs.link(temporary, identity)
  } catch (error) {
    // Another process was faster: its key is the one.
    if (systemCode(error) !== 'EEXIST') throw error
  } finally {
    await fs.rm(temporary, { force: true })
  }
}

/** The public half that the file carries unencrypted: no second file can disagree. */
function publicKeyOf(file: string): string | undefined {
  const [, kind, base64 = ''] = PEM.exec(file) ?? []
  const bytes = Buffer.from(base64, 'base64')
  return kind === 'EC' ? ecdsaPublicKey(bytes) : opensshPublicKey(bytes)
}

/** PROTOCOL.key of OpenSSH. */
function opensshPublicKey(bytes: Buffer): string | undefined {
  if (bytes.subarray(0, KEY_MAGIC.length).toString('latin1') !== KEY_MAGIC) return undefined
  let at = KEY_MAGIC.length
  const next = (): Buffer => {
    const length = at + 4 <= bytes.length ? bytes.readUInt32BE(at) : 0
    const value = bytes.subarray(at + 4, at + 4 + length)
    at += 4 + length
    return value
  }
  for (const _field of ['ciphername', 'kdfname', 'kdfoptions']) next()
  at += 4 // the number of keys
  const blob = next()
  if (blob.length < 8) return undefined
  const type = blob.subarray(4, 4 + blob.readUInt32BE(0)).toString('latin1')
  return /^[a-z0-9@.-]+$/.test(type) ? `${type} ${blob.toString('base64')}` : undefined
}

function ecdsaPublicKey(bytes: Buffer): string | undefined {
  const middle = SEC1_START.length + SEC1_SECRET_BYTES
  const end = middle + SEC1_MIDDLE.length
  const fits =
    bytes.length === SEC1_BYTES &&
    bytes.subarray(0, SEC1_START.length).equals(SEC1_START) &&
    bytes.subarray(middle, end).equals(SEC1_MIDDLE)
  if (!fits) return undefined
  const type = 'ecdsa-sha2-nistp256'
  const parts = [Buffer.from(type), Buffer.from('nistp256'), bytes.subarray(end)]
  const blob = Buffer.concat(parts.flatMap((part) => [lengthOf(part), part]))
  return `${type} ${blob.toString('base64')}`
}

function lengthOf(part: Buffer): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(part.length)
  return bytes
}
