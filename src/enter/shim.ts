import { lstat, readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { messageOf, SshjobError, systemCode } from '../core/errors.js'
import { isOlder, withoutFixesSince } from '../core/node-releases.js'
import { whyUnsafe } from '../core/path-safety.js'
import { VERSION } from '../core/version.js'

/** A container shim: a directory with Node.js, its libraries, our server and its addons, and a shell. */
export interface Shim {
  readonly directory: string
  /** Of sshjob; a worker and the one that starts it are of one version. */
  readonly version: string
  /** The version of its Node.js: '24.22.3'. */
  readonly node: string
  /** The ELF loader, below the directory. */
  readonly loader: string
}

export interface FindShimOptions {
  /**
   * The one that the user names: then no other is looked for. It decides what is run, so it must come from the user
   * that this process belongs to, and never from a job. Default: none.
   */
  given?: string | undefined
  /** As process.arch has it. Default: this process's. */
  arch?: string
  /** A file of the installation in question. Default: this one. */
  program?: string
}

/** What a shim says of itself, and of which kind that is. */
const DESCRIPTION = 'shim.json'
const FORMAT = 1
const LOADER = /^lib\/ld-linux[\w.-]*$/
const OTHERS_MAY_WRITE = 0o022

/**
 * Finds the container shim of this installation: the package of npm for this platform beside ours, or what `npm run
 * shim` has built in a checkout. The first that is there counts, and is checked: nobody but root and this user may have
 * put anything in it, and it is of our version and for this architecture.
 * @throws SshjobError 'program-missing' where there is none that fits, with the command that gets it;
 *   'unsafe-directory' where somebody else may have changed it
 */
export async function findShim(options: FindShimOptions = {}): Promise<Shim> {
  const { given, arch = process.arch } = options
  const program = options.program ?? fileURLToPath(import.meta.url)
  const home = await findInstallation(program)
  const remedy = await howToGet(home, arch)
  const directory = given === undefined ? await firstOf(placesOf(home, arch)) : path.resolve(given)
  if (directory === undefined) {
    throw new SshjobError(
      'program-missing',
      `The container shim for linux-${arch}, with which containers are entered, is not installed: ${remedy}.`,
    )
  }
  const shim = await readShim(directory, arch, remedy)
  const complaint = await whyNotOurs(directory)
  if (complaint !== undefined) {
    throw new SshjobError(
      'unsafe-directory',
      `The container shim in ${directory} is not used, since somebody else may have changed it: ${complaint}. Mend that, or install it anew where nobody else may write.`,
    )
  }
  return shim
}

/** The package, or the checkout, that a file belongs to. */
async function findInstallation(file: string): Promise<string | undefined> {
  for (const directory of ancestorsOf(path.dirname(file))) {
    const manifest = await readJson(path.join(directory, 'package.json'))
    if (manifest?.name === 'sshjob') return directory
  }
  return undefined
}

async function readJson(file: string): Promise<Record<string, unknown> | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(file, 'utf8'))
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch {
    return undefined
  }
}

const packageFor = (arch: string): string => `sshjob-shim-linux-${arch}`

/** Beside ours, wherever a package manager puts packages that ours depends on; or built in a checkout. */
function placesOf(home: string | undefined, arch: string): string[] {
  if (home === undefined) return []
  const installed = ancestorsOf(home).map((directory) =>
    path.join(directory, 'node_modules', packageFor(arch), 'shim'),
  )
  return [...installed, path.join(home, `container-shim/dist/linux-${arch}`)]
}

/** With the directory itself, innermost first. */
function ancestorsOf(directory: string): string[] {
  const above = path.dirname(directory)
  return above === directory ? [directory] : [directory, ...ancestorsOf(above)]
}

async function firstOf(directories: readonly string[]): Promise<string | undefined> {
  for (const directory of directories) if (await isThere(directory)) return directory
  return undefined
}

async function isThere(file: string): Promise<boolean> {
  try {
    await lstat(file)
    return true
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return false
    return true // it is there, and what keeps us from it is told when it is read
  }
}

/** The command that gets the shim for this installation, as the end of a sentence. */
async function howToGet(home: string | undefined, arch: string): Promise<string> {
  const wanted = `${packageFor(arch)}@${VERSION}`
  if (home === undefined) return `run \`npm install --global ${wanted}\``
  if (await isThere(path.join(home, 'container-shim/build.mjs'))) {
    const options = arch === process.arch ? '' : ` -- --arch ${arch}`
    return `run \`npm run shim${options}\` in ${home}`
  }
  const modules = path.dirname(home)
  if (path.basename(modules) !== 'node_modules') return `run \`npm install --global ${wanted}\``
  const prefix = path.dirname(modules)
  // npm(1): global packages are in PREFIX/lib/node_modules, all others in DIRECTORY/node_modules.
  return path.basename(prefix) === 'lib'
    ? `run \`npm install --global --prefix ${path.dirname(prefix)} ${wanted}\``
    : `run \`npm install --prefix ${prefix} ${wanted}\``
}

async function readShim(directory: string, arch: string, remedy: string): Promise<Shim> {
  const unfit = (reason: string, cause?: unknown): SshjobError =>
    new SshjobError('program-missing', `The container shim in ${directory} ${reason}: ${remedy}.`, { cause })
  let text: string
  try {
    text = await readFile(path.join(directory, DESCRIPTION), 'utf8')
  } catch (error) {
    throw unfit(`can't be read: ${messageOf(error)}`, error)
  }
  const said = parse(text)
  if (said === undefined) throw unfit(`has no ${DESCRIPTION} that this version understands`)
  if (said.platform !== `linux-${arch}`) throw unfit(`is for ${said.platform}, and this is linux-${arch}`)
  if (said.version !== VERSION) throw unfit(`is of sshjob ${said.version}, and this is ${VERSION}`)
  return { directory, version: said.version, node: said.node, loader: said.loader }
}

function parse(
  text: string,
): { version: string; platform: string; node: string; loader: string } | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { format, version, platform, node, loader }: Record<string, unknown> = { ...value }
  if (format !== FORMAT || typeof version !== 'string' || typeof platform !== 'string') return undefined
  if (typeof node !== 'string' || typeof loader !== 'string' || !LOADER.test(loader)) return undefined
  return { version, platform, node, loader }
}

/** Why somebody who is neither root nor this user could have changed anything in it. */
async function whyNotOurs(directory: string): Promise<string | undefined> {
  return (await whyUnsafe(directory)) ?? (await complaintBelow(directory))
}

async function complaintBelow(directory: string): Promise<string | undefined> {
  const user = process.geteuid?.()
  for (const name of await readdir(directory)) {
    const file = path.join(directory, name)
    const status = await lstat(file)
    if (status.isSymbolicLink()) return `${file} is a symbolic link`
    if (status.uid !== 0 && status.uid !== user) return `${file} belongs to user ${status.uid}`
    if ((status.mode & OTHERS_MAY_WRITE) !== 0)
      return `others may write to ${file} (mode ${(status.mode & 0o7777).toString(8)})`
    const below = status.isDirectory() ? await complaintBelow(file) : undefined
    if (below !== undefined) return below
  }
  return undefined
}

/** Where the two parts of a shim are for the process that runs it: paths, or descriptors as /proc/self/fd/N. */
export interface ShimPlace {
  loader: string
  directory: string
}

/**
 * The words that run one of its programs, which takes nothing of the system that it is run on: neither libraries, nor
 * the settings of the loader and of OpenSSL. The environment is the caller's to make: LD_PRELOAD, LD_AUDIT and
 * NODE_OPTIONS would be obeyed.
 * @param program below the directory: 'sshjob-server.cjs'
 * @param place Default: by path
 */
export function shimCommand(
  shim: Shim,
  program: string,
  place: ShimPlace = { loader: path.join(shim.directory, shim.loader), directory: shim.directory },
): string[] {
  const { loader, directory } = place
  return [
    ...[loader, '--library-path', `${directory}/lib`, `${directory}/bin/node`],
    // Names that lead through a descriptor have no real path on the other side.
    ...['--preserve-symlinks', '--preserve-symlinks-main', `--openssl-config=${directory}/lib/openssl.cnf`],
    `${directory}/${program}`,
  ]
}

/**
 * What an administrator should know of the age of a shim: a sentence for each fact, none if all is well.
 * @param others that are there as well: one with a newer Node.js should take its place
 */
export function shimStatus(shim: Shim, now: Date, others: readonly Shim[] = []): string[] {
  const subject = `The container shim in ${shim.directory} has Node.js ${shim.node}`
  const since = withoutFixesSince(shim.node, now)
  const newer = others
    .filter(({ node }) => isOlder(shim.node, node))
    .reduce<Shim | undefined>(
      (best, other) => (best && isOlder(other.node, best.node) ? best : other),
      undefined,
    )
  return [
    ...(since === undefined
      ? []
      : [
          `${subject}, which has got no security fixes since ${since}: install a newer sshjob with its shim.`,
        ]),
    ...(newer === undefined
      ? []
      : [`${subject}, which is older than the ${newer.node} in ${newer.directory}.`]),
  ]
}
