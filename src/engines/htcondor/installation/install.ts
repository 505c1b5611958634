import { createHash, randomBytes } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { describeUnexpected, messageOf, SshjobError, systemCode } from '../../../core/errors.js'
import { withoutFixesSince } from '../../../core/node-releases.js'
import { VERSION } from '../../../core/version.js'
import { readConfigurationFolder } from '../configuration.js'
import { CURRENT, currentCopy } from './copies.js'
import { keygenScript, serverScript } from './launchers.js'
import { doWithoutParts, outsideParts } from './outside-parts.js'
import { copyOwnFiles, loadedLibraries, nodeFile, type OwnNode, ownNode, ownPrograms } from './own-files.js'
import { makeSafeDirectory, refuseUnsafe } from './safe-place.js'
import { serveOnce } from './serve-once.js'
import { checkPrefix, formatSettings, type Launchers, readPrefix, SETTINGS_FILE } from './settings-file.js'
import { runUnprivileged } from './unprivileged.js'

export const DEFAULT_PREFIX = '/usr/local/lib/sshjob'
const LAUNCHERS = { server: 'bin/sshjob-server', keygen: 'bin/sshjob-keygen' } as const
/** Copies, and what a call that was killed has left of one. */
const COPY = /^(?:\d+\.\d+\.\d+-[0-9a-f]+|\.(?:new|link)-[0-9a-f]+)$/

/** What users run must not be anybody else's to change, and root must not follow anybody's links. */
const ANOTHER_PREFIX = 'Choose a --prefix in which only root and you may write, such as the default.'
const MEND_IT = 'Only root and you may be able to write there: mend that first.'

export interface InstallOptions {
  prefix: string
  dryRun: boolean
  /** Gets a sentence for each step that was done, or would be. */
  tell: (sentence: string) => void
}

/**
 * Puts a self-contained copy of this program in place, and then the configuration that makes HTCondor use it. What is
 * there counts until the last step of each, which is one rename(2).
 * @throws SshjobError 'permission-denied', 'file-failed', 'program-missing', 'usage', 'unsafe-directory'
 */
export async function install({ prefix, dryRun, tell }: InstallOptions): Promise<void> {
  checkPrefix(prefix)
  const node = ownNode(nodeFile(), loadedLibraries())
  await refuseUnsafe(prefix, ANOTHER_PREFIX)
  const settings = await findSettings()
  const text = formatSettings(prefix, launchersOf(path.join(prefix, CURRENT)))
  if (fs.existsSync(settings)) readPrefix(fs.readFileSync(settings, 'utf8'), settings)
  if (dryRun) {
    tell(`Would copy Node.js ${process.version} and sshjob ${VERSION} to ${prefix}.`)
    tell(`Would write ${settings}:\n\n${text}`)
    return
  }
  try {
    const copy = await makeCopy(prefix, node)
    const before = switchTo(prefix, copy)
    tell(`Copied Node.js ${process.version} and sshjob ${VERSION} to ${path.join(prefix, copy)}.`)
    // Its time says since when jobs are entered by it.
    if (!fs.existsSync(settings) || fs.readFileSync(settings, 'utf8') !== text) replaceFile(settings, text)
    tell(`Wrote ${settings}.`)
    removeCopies(prefix, [copy, ...(before === undefined ? [] : [before])])
    const since = withoutFixesSince(process.version, new Date())
    if (since !== undefined) tell(`That Node.js gets no security updates any more, since ${since}.`)
    tell('Jobs that start from now on are entered through it: nothing has to be restarted.')
  } catch (error) {
    throw asOurs(error)
  }
}

/**
 * Takes the configuration away first, so that it never names what is not there.
 * @throws SshjobError as install(), and 'no-such-file' where nothing is installed
 */
export async function uninstall({ dryRun, tell }: Omit<InstallOptions, 'prefix'>): Promise<void> {
  const settings = await findSettings()
  if (!fs.existsSync(settings)) {
    throw new SshjobError('no-such-file', `Nothing is installed here: there is no ${settings}.`)
  }
  const prefix = readPrefix(fs.readFileSync(settings, 'utf8'), settings)
  await refuseUnsafe(prefix, MEND_IT)
  if (dryRun) return tell(`Would remove ${settings}, and the copies in ${prefix}.`)
  try {
    fs.rmSync(settings)
    tell(`Removed ${settings}.`)
    removeCopies(prefix, [])
    tell(`Removed the copies in ${prefix}. Jobs that were started with them can't be entered any more.`)
  } catch (error) {
    throw asOurs(error)
  }
}

/** The file of ours in HTCondor's configuration, which may be missing. */
async function findSettings(): Promise<string> {
  const settings = path.join(await readConfigurationFolder(), SETTINGS_FILE)
  await refuseUnsafe(settings, MEND_IT)
  return settings
}

/** What runs the Node.js of the copy in this folder. */
function nodeIn(folder: string, { command }: OwnNode): string[] {
  return command.map((word) =>
    path.isAbsolute(word) || word.startsWith('--') ? word : path.join(folder, word),
  )
}

/** What runs a program of it. */
function commandOf(folder: string, program: keyof typeof LAUNCHERS, node: OwnNode): string[] {
  return [...nodeIn(folder, node), path.join(folder, `dist/sshjob-${program}.cjs`)]
}

/** What the configuration names. */
function launchersOf(folder: string): Launchers {
  return { server: path.join(folder, LAUNCHERS.server), keygen: path.join(folder, LAUNCHERS.keygen) }
}

function writeLaunchers(fresh: string, current: string, node: OwnNode): void {
  const { server, keygen } = launchersOf(fresh)
  fs.writeFileSync(server, serverScript(commandOf(current, 'server', node)))
  fs.writeFileSync(keygen, keygenScript(commandOf(current, 'keygen', node)))
  for (const file of [server, keygen]) fs.chmodSync(file, 0o755)
}

/** A new copy under its final name, complete, readable for every user, and seen to run. Gives its name. */
async function makeCopy(prefix: string, node: OwnNode): Promise<string> {
  const fresh = path.join(prefix, `.new-${randomBytes(6).toString('hex')}`)
  const umask = process.umask(0o022)
  try {
    await makeSafeDirectory(prefix, ANOTHER_PREFIX)
    fs.mkdirSync(fresh)
    return await fillCopy(prefix, fresh, node)
  } finally {
    process.umask(umask)
  }
}

async function fillCopy(prefix: string, fresh: string, node: OwnNode): Promise<string> {
  try {
    copyOwnFiles([...node.files, ...ownPrograms()], fresh)
    doWithoutParts(
      node.files.map(({ to }) => path.join(fresh, to)),
      outsideParts(),
    )
    writeLaunchers(fresh, path.join(prefix, CURRENT), node)
    makeReadable(fresh)
    await tryToRun(commandOf(fresh, 'server', node), prefix)
    const name = `${VERSION}-${fingerprint(fresh)}`
    const target = path.join(prefix, name)
    if (fs.existsSync(target)) return name
    await warmUp(fresh, node)
    fs.renameSync(fresh, target)
    return name
  } finally {
    fs.rmSync(fresh, { recursive: true, force: true })
    removeIfEmpty(prefix)
  }
}

async function tryToRun(server: readonly string[], prefix: string): Promise<void> {
  const { failure } = await runUnprivileged([...server, '--version'])
  if (failure === undefined) return
  throw new SshjobError(
    'file-failed',
    `A copy in ${prefix} can't be run by users (${failure}): choose a --prefix that they can enter, and that is not mounted noexec.`,
  )
}

/** Has the copy serve a session, from which it keeps what V8 has compiled: it starts faster with that. */
async function warmUp(fresh: string, node: OwnNode): Promise<void> {
  try {
    await serveOnce(nodeIn(fresh, node), path.join(fresh, 'dist/programs'))
  } catch (error) {
    throw new SshjobError(
      'file-failed',
      `A session by the new copy failed, so it was not installed: ${messageOf(error)}`,
      { cause: error },
    )
  }
  makeReadable(fresh)
}

/** The names of all that is below a folder, folders before what is in them. */
function namesBelow(folder: string): string[] {
  return fs.readdirSync(folder, { encoding: 'utf8', recursive: true }).sort()
}

/** The jobs' users run it; npm keeps the modes that files had in a package. */
function makeReadable(folder: string): void {
  for (const file of namesBelow(folder).map((name) => path.join(folder, name))) {
    fs.chmodSync(file, (fs.statSync(file).mode & 0o111) === 0 ? 0o644 : 0o755)
  }
}

/** Of all names and contents: the same copy twice is one. */
function fingerprint(folder: string): string {
  const hash = createHash('sha256')
  for (const name of namesBelow(folder)) {
    const file = path.join(folder, name)
    if (fs.statSync(file).isFile()) hash.update(`${name}\0`).update(fs.readFileSync(file))
  }
  return hash.digest('hex').slice(0, 12)
}

/** Gives the name of the copy that counted before, which sessions may still be starting from. */
function switchTo(prefix: string, copy: string): string | undefined {
  const before = currentCopy(prefix)
  const fresh = path.join(prefix, `.link-${randomBytes(6).toString('hex')}`)
  fs.symlinkSync(copy, fresh)
  fs.renameSync(fresh, path.join(prefix, CURRENT))
  return before
}

function replaceFile(file: string, text: string): void {
  // HTCondor reads no configuration from files whose names begin with a dot.
  const fresh = path.join(path.dirname(file), `.${path.basename(file)}.${randomBytes(6).toString('hex')}`)
  try {
    fs.writeFileSync(fresh, text, { flag: 'wx' })
    fs.chmodSync(fresh, 0o644)
    fs.renameSync(fresh, file)
  } finally {
    fs.rmSync(fresh, { force: true })
  }
}

/** Removes what install() has made below the prefix, except these copies; nothing else that is there. */
function removeCopies(prefix: string, kept: readonly string[]): void {
  if (!fs.existsSync(prefix)) return
  for (const name of fs.readdirSync(prefix)) {
    const goes = (COPY.test(name) && !kept.includes(name)) || (name === CURRENT && kept.length === 0)
    if (goes) fs.rmSync(path.join(prefix, name), { recursive: true })
  }
  removeIfEmpty(prefix)
}

function removeIfEmpty(folder: string): void {
  if (fs.existsSync(folder) && fs.readdirSync(folder).length === 0) fs.rmdirSync(folder)
}

function asOurs(error: unknown): SshjobError {
  if (error instanceof SshjobError) return error
  const code = systemCode(error)
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new SshjobError(
      'permission-denied',
      `This needs root, or a --prefix of yours: ${describeUnexpected(error)}.`,
      {
        cause: error,
      },
    )
  }
  return new SshjobError('file-failed', `It could not be completed: ${describeUnexpected(error)}.`, {
    cause: error,
  })
}
