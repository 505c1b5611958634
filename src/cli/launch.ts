import fs from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import vm from 'node:vm'
import { CODE_CACHE_MAX_AGE_MS } from '../core/limits.js'
import { shouldKeepCode } from './keep-code.js'

/** Beside the programs: what an installation brings along. */
const BESIDE = 'cache'

/** The first line of a program that says which it is: the build writes a hash of all the rest there. */
const MARK = /^\/\/ ([0-9a-f]{16})\n/

/**
 * Runs a CommonJS program as Node.js would, from what V8 has compiled in an earlier run: compiling is a quarter of a
 * short command. That is kept beside the program or in the user's cache folder, for this very text and version of
 * Node.js; what V8 can't use it leaves alone. Of a program without a mark nothing is kept.
 * @param keeps asked at the end, where nothing of use was kept. Default: whether the program has called keepCode()
 */
export function launch(program: string, keeps: () => boolean = shouldKeepCode): void {
  const source = fs.readFileSync(program, 'utf8')
  const entry = nameFor(program, source)
  const own = placeOf(entry, ownFolder())
  const kept = readEntry(placeOf(entry, path.join(path.dirname(program), BESIDE))) ?? readEntry(own)
  const script = new vm.Script(`(function (exports, require, module, __filename, __dirname) {${source}\n})`, {
    filename: program,
    cachedData: kept,
  })
  if (own !== undefined && (kept === undefined || script.cachedDataRejected === true)) {
    process.once('exit', () => {
      if (keeps()) writeEntry(own, script.createCachedData())
    })
  }
  const module = { exports: {} }
  script.runInThisContext()(module.exports, createRequire(program), module, program, path.dirname(program))
}

/** V8 itself tells programs apart by their length alone. */
function nameFor(program: string, source: string): string | undefined {
  const [, hash] = MARK.exec(source) ?? []
  const name = path.basename(program, path.extname(program))
  return hash && `${name}-${hash}-${process.version}-${process.arch}`
}

const placeOf = (entry: string | undefined, folder: string | undefined): string | undefined =>
  entry && folder && path.join(folder, entry)

/**
 * By the XDG Base Directory Specification, which has no use for relative paths. Root may well have the HOME of somebody
 * else, who would say where root writes.
 */
function ownFolder(): string | undefined {
  const { XDG_CACHE_HOME: given = '', HOME: home = '' } = process.env
  const [base, cache] = path.isAbsolute(given) ? [given, given] : [home, path.join(home, '.cache')]
  return path.isAbsolute(base) && mayBeOurs(base) ? path.join(cache, 'sshjob') : undefined
}

function mayBeOurs(folder: string): boolean {
  try {
    const status = fs.statSync(folder, { throwIfNoEntry: false })
    return status === undefined || status.uid === process.geteuid?.()
  } catch {
    return false // it can't even be looked at
  }
}

/** Runs as our own code, so nobody else may have written it. */
function readEntry(file: string | undefined): Buffer | undefined {
  if (file === undefined) return undefined
  try {
    const descriptor = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW)
    try {
      const { uid, mode } = fs.fstatSync(descriptor)
      const trusted = (uid === process.geteuid?.() || uid === 0) && (mode & 0o022) === 0
      return trusted ? fs.readFileSync(descriptor) : undefined
    } finally {
      fs.closeSync(descriptor)
    }
  } catch {
    return undefined // without it the program is only slower
  }
}

function writeEntry(file: string, data: Buffer): void {
  const folder = path.dirname(file)
  // No secret, as nobody else may write here; node:crypto would take longer to load than all of this.
  const fresh = path.join(folder, `.new-${Math.random().toString(36).slice(2)}`)
  try {
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
    try {
      fs.writeFileSync(fresh, data, { flag: 'wx', mode: 0o600 })
      fs.renameSync(fresh, file)
    } finally {
      fs.rmSync(fresh, { force: true })
    }
    removeOld(folder)
  } catch {
    return // without it the next run is only as slow as this one
  }
}

/** Those of versions that are gone would stay for ever. */
function removeOld(folder: string): void {
  for (const name of fs.readdirSync(folder)) {
    const file = path.join(folder, name)
    if (Date.now() - fs.lstatSync(file).mtimeMs > CODE_CACHE_MAX_AGE_MS) fs.rmSync(file, { force: true })
  }
}
