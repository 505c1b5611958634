import { randomBytes } from 'node:crypto'
import fs from 'node:fs/promises'
import path from 'node:path'
import { SshjobError, systemCode } from '../core/errors.js'
import { KNOWN_HOSTS_MAX_BYTES } from '../core/limits.js'
import { statIfThere, withClaim } from './claim.js'
import { makePrivateDirectory, runtimeDirectory } from './runtime-directory.js'

const ATTEMPTS = 10
const PRIVATE_KEY =
  /^-----BEGIN OPENSSH PRIVATE KEY-----\s+([A-Za-z0-9+/=\s]+)-----END OPENSSH PRIVATE KEY-----\s*$/
const KEY_MAGIC = 'openssh-key-v1\0'

/** What the stock OpenSSH client of a user needs to enter jobs. */
export interface OpensshFiles {
  /** The private key, for IdentityFile. */
  readonly identity: string
  /** Both belong to UserKnownHostsFile: the second is the first, set aside when it grew long. */
  readonly knownHosts: readonly [current: string, old: string]
}

/** The paths, without making anything but the folder. @throws SshjobError 'unsafe-directory' */
export async function opensshFiles(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<OpensshFiles> {
  const directory = path.join(await runtimeDirectory(environment), 'openssh')
  await makePrivateDirectory(directory)
  const current = path.join(directory, 'known_hosts')
  return { identity: path.join(directory, 'id_ed25519'), knownHosts: [current, `${current}.old`] }
}

/**
 * The public key ('ssh-ed25519 AAAA…') of the identity, which is made if it is not there: complete at once, by
 * link(2), and once, however many ask at the same time. `generateKey` gives a private key in OpenSSH's format.
 * @throws SshjobError 'unsafe-directory' if the file is not a private key that only this user can read
 */
export async function ensureIdentity(
  files: OpensshFiles,
  generateKey: () => { privateKey: string },
): Promise<string> {
  if ((await statIfThere(files.identity)) === undefined)
    await makeIdentity(files.identity, generateKey().privateKey)
  const status = await fs.lstat(files.identity)
  if (!status.isFile() || status.uid !== process.geteuid?.() || (status.mode & 0o077) !== 0) {
    throw new SshjobError('unsafe-directory', `${files.identity} is not a private file of yours: remove it.`)
  }
  const publicKey = publicKeyOf(await fs.readFile(files.identity, 'utf8'))
  if (publicKey !== undefined) return publicKey
  throw new SshjobError('unsafe-directory', `${files.identity} is not a private key of OpenSSH: remove it.`)
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

/** The public half that the file carries unencrypted (PROTOCOL.key of OpenSSH): no second file can disagree. */
function publicKeyOf(file: string): string | undefined {
  const base64 = PRIVATE_KEY.exec(file)?.[1]
  if (base64 === undefined) return undefined
  const bytes = Buffer.from(base64, 'base64')
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

/**
 * Makes the OpenSSH client trust this key for this host. Once this resolves, the line is in one of the two files,
 * whatever other processes append or set aside at the same time.
 * @throws SshjobError 'usage' for a host or key that would not be one line of known_hosts, 'internal'
 */
export async function addKnownHost(files: OpensshFiles, host: string, hostKey: string): Promise<void> {
  if (!/^[A-Za-z0-9._:-]{1,255}$/.test(host) || !/^[a-z0-9@.-]+ [A-Za-z0-9+/]+={0,2}$/.test(hostKey)) {
    throw new SshjobError('usage', `${JSON.stringify(host)} can't be named in a known_hosts file.`)
  }
  const [current, old] = files.knownHosts
  const line = `${host} ${hostKey}\n`
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    await setAsideIfLong(current, old)
    // O_APPEND and one write(2): the lines of two processes never mix.
    await fs.appendFile(current, line, { mode: 0o600 })
    // The file may have been set aside, twice even, since it was opened for this.
    if ((await holds(current, line)) || (await holds(old, line))) return
  }
  throw new SshjobError(
    'internal',
    `The host key could not be kept in ${current}: other processes replace it.`,
  )
}

async function setAsideIfLong(current: string, old: string): Promise<void> {
  if (!(await isLong(current))) return
  // Two that do this at once would put the file that the first has just begun in the place of the long one.
  await withClaim(`${current}.claim`, async () => {
    if (await isLong(current)) await fs.rename(current, old)
  })
}

async function isLong(file: string): Promise<boolean> {
  return ((await statIfThere(file))?.size ?? 0) > KNOWN_HOSTS_MAX_BYTES
}

async function holds(file: string, line: string): Promise<boolean> {
  try {
    return `\n${await fs.readFile(file, 'utf8')}`.includes(`\n${line}`)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false
    throw error
  }
}
