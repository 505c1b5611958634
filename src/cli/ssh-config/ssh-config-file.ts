import { randomBytes } from 'node:crypto'
import fs from 'node:fs/promises'
import { userInfo } from 'node:os'
import path from 'node:path'
import { messageOf, SshjobError, systemCode } from '../../core/errors.js'
import { matchesPattern } from '../../core/patterns.js'
import { cutBlocks, putBlock } from './ssh-config-block.js'

const OWNER_MAY_WRITE = 0o200

/**
 * ~/.ssh/config, where ssh(1) reads it: below the home that the account has, whatever HOME says.
 * @throws SshjobError 'usage' for a user id without an account
 */
export function userConfigFile(): string {
  const home = homeOfAccount()
  if (home !== undefined) return path.join(home, '.ssh', 'config')
  throw new SshjobError('usage', 'This user id has no account, and so no ~/.ssh/config: name a file with -F.')
}

function homeOfAccount(): string | undefined {
  try {
    return userInfo().homedir
  } catch {
    return undefined // this user id has none
  }
}

/**
 * Writes the block into the file, in the place of what is there of it, all the rest staying byte for byte. Gives what
 * there is to say.
 * @throws SshjobError 'usage', 'no-such-file', 'permission-denied', 'file-failed'
 */
export async function installBlock(file: string, suffix: string, block: string): Promise<string> {
  return change(file, async () => {
    const found = await readConfig(file)
    await refuseIncluded(file, found?.text ?? '', suffix)
    const text = putBlock(found?.text ?? '', suffix, Buffer.from(block).toString('latin1'))
    if (text === found?.text) return `${file} has the block for *${suffix} already.`
    if (found === undefined) await fs.mkdir(path.dirname(file), { recursive: true, mode: 0o700 })
    await writeConfig(found, file, text)
    return `The block for *${suffix} is in ${file}: 'ssh JOB${suffix}' enters a job.`
  })
}

/** Takes the block out of the file, as installBlock() puts it in. */
export async function removeBlock(file: string, suffix: string): Promise<string> {
  return change(file, async () => {
    const found = await readConfig(file)
    await refuseIncluded(file, found?.text ?? '', suffix)
    const { rest, at } = cutBlocks(found?.text ?? '', suffix)
    if (at === undefined) return `${file} has no block for *${suffix}.`
    await writeConfig(found, file, rest)
    return `The block for *${suffix} is out of ${file}.`
  })
}

/** The names behind IgnoreUnknown in a configuration and in what it includes, our own blocks aside. */
export async function namesIgnoredIn(file: string): Promise<string[]> {
  const { text = '' } = (await readConfig(file)) ?? {}
  const others = await Promise.all(
    (await includedBy(text)).map((other) => readConfig(other).catch(() => undefined)),
  )
  const lines = [text, ...others.map((other) => other?.text ?? '')]
    .map((one) => one.replaceAll(/^# >>> sshjob .*$[\s\S]*?^# <<< sshjob .*$/gm, ''))
    .flatMap((one) => [...one.matchAll(/^[ \t]*IgnoreUnknown[ \t=]+(.*)$/gim)])
  return lines.flatMap(([, names = '']) =>
    names
      .replaceAll('"', '')
      .trim()
      .split(/[\s,]+/),
  )
}

interface ConfigFile {
  /** Where the links lead. */
  target: string
  mode: number
  uid: number
  gid: number
  /** A character for each byte. */
  text: string
}

async function readConfig(file: string): Promise<ConfigFile | undefined> {
  try {
    const target = await fs.realpath(file)
    const { mode, uid, gid } = await fs.stat(target)
    return { target, mode, uid, gid, text: await fs.readFile(target, 'latin1') }
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
    const link = await fs.readlink(file).catch(() => undefined)
    if (link === undefined) return undefined
    throw new SshjobError('no-such-file', `${file} is a link to ${link}, which is not there.`)
  }
}

/** At once, whatever happens meanwhile, and through links: the file keeps its place, owner and mode. */
async function writeConfig(found: ConfigFile | undefined, file: string, text: string): Promise<void> {
  const { target = file, mode = 0o600 } = found ?? {}
  if ((mode & OWNER_MAY_WRITE) === 0) {
    throw new SshjobError('permission-denied', `${target} is read-only: ${byHand}`)
  }
  const temporary = `${target}.${randomBytes(6).toString('hex')}`
  try {
    await fs.writeFile(temporary, text, { encoding: 'latin1', flag: 'wx', mode: mode & 0o777, flush: true })
    if (found !== undefined) {
      await fs.chmod(temporary, mode & 0o777)
      const { uid, gid } = await fs.stat(temporary)
      if (uid !== found.uid || gid !== found.gid) await fs.chown(temporary, found.uid, found.gid)
    }
    await fs.rename(temporary, target)
  } finally {
    await fs.rm(temporary, { force: true })
  }
}

const byHand = "put in by hand what 'sshjob ssh-config' prints."

/** What an Include brings in is somebody's own order: the block stays where it was put. */
async function refuseIncluded(file: string, text: string, suffix: string): Promise<void> {
  for (const other of await includedBy(text)) {
    const { text: included = '' } = (await readConfig(other).catch(() => undefined)) ?? {}
    if (cutBlocks(included, suffix).at === undefined) continue
    throw new SshjobError(
      'usage',
      `The block for *${suffix} is in ${other}, which ${file} includes: name that file with -F.`,
    )
  }
}

/** The files that Include names, as ssh_config(5) has it: relative to ~/.ssh, with wildcards in the last part. */
async function includedBy(text: string): Promise<string[]> {
  const lines = [...text.matchAll(/^[ \t]*Include[ \t=]+(.*)$/gim)]
  const words = lines.flatMap(([, rest = '']) => [...rest.matchAll(/"([^"]*)"|(\S+)/g)])
  const names = words.map(([, quoted, plain]) => quoted ?? plain ?? '')
  const found = await Promise.all(names.map(expandInclude))
  return found.flat()
}

async function expandInclude(name: string): Promise<string[]> {
  const home = homeOfAccount()
  if (home === undefined && !path.isAbsolute(name)) return []
  const full = path.resolve(home ?? '/', name.startsWith('~/') ? '.' : '.ssh', name.replace(/^~\//, ''))
  const [directory, last] = [path.dirname(full), path.basename(full)]
  if (!/[*?]/.test(last)) return [full]
  const entries = await fs.readdir(directory).catch(() => [])
  return entries.filter((entry) => matchesPattern(entry, last)).map((entry) => path.join(directory, entry))
}

/** A sentence for whatever the file system says. */
async function change(file: string, work: () => Promise<string>): Promise<string> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof SshjobError) throw error
    const code = systemCode(error)
    if (code === undefined) throw error
    const denied = ['EACCES', 'EPERM', 'EROFS'].includes(code)
    throw new SshjobError(
      denied ? 'permission-denied' : 'file-failed',
      `${file} can't be changed: ${messageOf(error)}; ${byHand}`,
      { cause: error },
    )
  }
}
