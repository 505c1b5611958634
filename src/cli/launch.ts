import fs from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import vm from 'node:vm'
import { shouldKeepCode } from './keep-code.js'

/** Beside the programs. Whoever may write there could as well change the programs themselves. */
const BESIDE = 'cache'

/** The first line of a program that says which it is: the build writes a hash of all the rest there. */
const MARK = /^\/\/ ([0-9a-f]{16})\n/

const OTHERS_MAY_WRITE = 0o022

/**
 * Runs a CommonJS program as Node.js would, from what V8 has compiled in an earlier run: compiling is a quarter of a
 * short command. That is code as much as the program is, and V8 tells by its length alone what it belongs to. So it is
 * kept beside the program and nowhere else, by the program's owner alone, for this very text and version of Node.js;
 * what V8 can't use it leaves alone. Of a program without a mark nothing is kept.
 * @param keeps asked at the end, where nothing of use was kept. Default: whether the program has called keepCode()
 */
export function launch(program: string, keeps: () => boolean = shouldKeepCode): void {
  const { source, owner } = readProgram(program)
  const place = placeFor(program, source)
  const kept = place === undefined ? undefined : readKept(place, owner)
  const script = new vm.Script(`(function (exports, require, module, __filename, __dirname) {${source}\n})`, {
    filename: program,
    cachedData: kept,
  })
  const isOfUse = kept !== undefined && script.cachedDataRejected !== true
  if (place !== undefined && owner === process.geteuid?.() && !isOfUse) {
    process.once('exit', () => {
      if (keeps()) keep(place, script.createCachedData())
    })
  }
  const module = { exports: {} }
  script.runInThisContext()(module.exports, createRequire(program), module, program, path.dirname(program))
}

function readProgram(program: string): { source: string; owner: number } {
  const descriptor = fs.openSync(program, 'r')
  try {
    return { source: fs.readFileSync(descriptor, 'utf8'), owner: fs.fstatSync(descriptor).uid }
  } finally {
    fs.closeSync(descriptor)
  }
}

function placeFor(program: string, source: string): string | undefined {
  const [, hash] = MARK.exec(source) ?? []
  const name = path.basename(program, path.extname(program))
  if (hash === undefined) return undefined
  return path.join(path.dirname(program), BESIDE, `${name}-${hash}-${process.version}-${process.arch}`)
}

const isOnlyOf = ({ uid, mode }: fs.Stats, owner: number): boolean =>
  uid === owner && (mode & OTHERS_MAY_WRITE) === 0

function readKept(file: string, owner: number): Buffer | undefined {
  try {
    if (!isOnlyOf(fs.lstatSync(path.dirname(file)), owner)) return undefined
    const descriptor = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW)
    try {
      return isOnlyOf(fs.fstatSync(descriptor), owner) ? fs.readFileSync(descriptor) : undefined
    } finally {
      fs.closeSync(descriptor)
    }
  } catch {
    return undefined // without it the program is only slower
  }
}

function keep(file: string, data: Buffer): void {
  const folder = path.dirname(file)
  // No secret, as nobody else may write here; node:crypto would take longer to load than all of this.
  const fresh = path.join(folder, `.new-${Math.random().toString(36).slice(2)}`)
  try {
    fs.mkdirSync(folder, { recursive: true, mode: 0o755 })
    if (!isOnlyOf(fs.lstatSync(folder), process.geteuid?.() ?? -1)) return
    try {
      fs.writeFileSync(fresh, data, { flag: 'wx', mode: 0o644 })
      fs.renameSync(fresh, file)
    } finally {
      fs.rmSync(fresh, { force: true })
    }
  } catch {
    return // without it the next run is only as slow as this one
  }
}
