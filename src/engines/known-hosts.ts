import { randomBytes } from 'node:crypto'
import fs from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { SshjobError, systemCode } from '../core/errors.js'
import {
  CLAIM_MAX_AGE_MS,
  KNOWN_HOSTS_AGE_MS,
  KNOWN_HOSTS_KEPT,
  KNOWN_HOSTS_MAX_BYTES,
} from '../core/limits.js'
import { statIfThere, withClaim } from './claim.js'

const ATTEMPTS = 10
const LOOK_INTERVAL_MS = 5
const HOST = /^[A-Za-z0-9._:-]{1,255}$/
const KEY = /^[a-z0-9@.-]+ [A-Za-z0-9+/]+={0,2}$/

/**
 * Makes the OpenSSH client trust these keys for this host. Once this resolves, the lines are in the file, and stay for
 * KNOWN_HOSTS_AGE_MS and while they are among the newest, whatever other processes add or shorten at the same time.
 * @throws SshjobError 'usage' for a host or key that would not be one line of known_hosts, 'internal'
 */
export async function addKnownHost(file: string, host: string, hostKeys: readonly string[]): Promise<void> {
  if (!HOST.test(host) || !hostKeys.every((key) => KEY.test(key))) {
    throw new SshjobError('usage', `${JSON.stringify(host)} can't be named in a known_hosts file.`)
  }
  const lines = hostKeys.map((key) => `${host} ${key}\n`).join('')
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (isLitter(await read(file))) await withClaim(claimOf(file), () => shorten(file))
    // O_APPEND and one write(2): the lines of two processes never mix.
    await fs.appendFile(file, `${stamp()}${lines}`, { mode: 0o600 })
    // Who shortens it may have read it before, and be about to put what was read in its place. Whoever begins after
    // this reads our lines as well.
    await untilUnclaimed(file)
    if ((await read(file)).includes(lines)) return
  }
  throw new SshjobError('internal', `The host key could not be kept in ${file}: other processes replace it.`)
}

const claimOf = (file: string): string => `${file}.claim`

/** A comment before the lines of a session, which every reader of such files passes over. */
const stamp = (): string => `# ${Math.floor(Date.now() / 1_000)}\n`

/** The sessions in a file, each with its stamp. What stands before the first stamp is none of ours. */
function sessionsIn(text: string): string[] {
  return text.split(/^(?=# \d+$)/m).filter((session) => session.startsWith('# '))
}

/** Those that a client may still wait for: the newest, and all of the last seconds. */
function keptOf(sessions: readonly string[]): string[] {
  return sessions.filter((session, index) => {
    const [, seconds = ''] = /^# (\d+)$/m.exec(session) ?? []
    const isNew = Math.abs(Date.now() - Number(seconds) * 1_000) <= KNOWN_HOSTS_AGE_MS
    return isNew || index >= sessions.length - KNOWN_HOSTS_KEPT
  })
}

/** For each key that a host of this name ever had ssh takes a tenth of a millisecond: it checks the point. */
function isLitter(text: string): boolean {
  const sessions = sessionsIn(text)
  return text.length > KNOWN_HOSTS_MAX_BYTES || sessions.length - keptOf(sessions).length >= KNOWN_HOSTS_KEPT
}

/** Under the claim. */
async function shorten(file: string): Promise<void> {
  const text = await read(file)
  if (!isLitter(text)) return // somebody else has done it
  const kept = keptOf(sessionsIn(text))
  while (kept.join('').length > KNOWN_HOSTS_MAX_BYTES / 2) kept.splice(0, Math.ceil(kept.length / 8))
  const temporary = `${file}.${randomBytes(6).toString('hex')}`
  try {
    await fs.writeFile(temporary, kept.join(''), { flag: 'wx', mode: 0o600 })
    await fs.rename(temporary, file)
  } finally {
    await fs.rm(temporary, { force: true })
  }
}

/** A claim that is older is of a process that was killed: it shortens nothing any more. */
async function untilUnclaimed(file: string): Promise<void> {
  for (;;) {
    const claim = await statIfThere(claimOf(file))
    if (claim === undefined || Date.now() - claim.mtimeMs > CLAIM_MAX_AGE_MS) return
    await delay(LOOK_INTERVAL_MS)
  }
}

/** A file that is not there, or was just put aside, has no lines. */
async function read(file: string): Promise<string> {
  try {
    return await fs.readFile(file, 'latin1')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return ''
    throw error
  }
}
