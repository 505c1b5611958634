import { cpSync, existsSync, mkdirSync, readdirSync, realpathSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { SshjobError } from '../../../core/errors.js'
import { ownModule } from '../../../core/own-module.js'
import { LOADER, thisProgram } from '../../../core/this-program.js'
import { KOFFI_PLATFORM, koffiPlatform } from '../../../process/koffi-package.js'

/** A file or folder of this installation, and where it goes below the copy's folder. */
export interface OwnFile {
  from: string
  to: string
}

/** How the copy's Node.js is started, by paths below the copy's folder unless they are absolute. */
export interface OwnNode {
  files: OwnFile[]
  /** Words before the program's name. */
  command: string[]
}

/**
 * Addons, which come with the programs; and what every Linux has, and a process must take from where it runs: a C
 * library that looks up users by modules of the system, nss(5), and what the compiler links to everything.
 */
const NOT_ITS_OWN =
  /^(?:ld-(?:linux|musl)[^/]*|lib(?:c|m|dl|pthread|rt|util|anl|resolv|nss_\w+|gcc_s|stdc\+\+|atomic)\.(?:so|musl).*|.*\.node)$/

/**
 * This Node.js, as files that run elsewhere. The one from nodejs.org is a single file; a distribution's is a small
 * program and libraries, which are found by the system's loader with a path of ours.
 * @param executable its file
 * @param libraries the shared objects of the process
 */
export function ownNode(executable: string, libraries: readonly string[]): OwnNode {
  const node = { from: executable, to: 'bin/node' }
  const own = libraries.filter(
    (file) => path.isAbsolute(file) && file !== executable && !NOT_ITS_OWN.test(path.basename(file)),
  )
  const loader = libraries.find((file) => LOADER.test(file))
  if (own.length === 0 || loader === undefined) return { files: [node], command: ['bin/node'] }
  return {
    files: [node, ...own.map((from) => ({ from, to: `lib/${path.basename(from)}` }))],
    command: [loader, '--library-path', 'lib', 'bin/node'],
  }
}

/** The file of this Node.js. Where the system's loader has started it, that is what process.execPath names. */
export function nodeFile(): string {
  return realpathSync(LOADER.test(process.execPath) ? process.argv0 : process.execPath)
}

/** The shared objects of this process, as Node.js reports them. */
export function loadedLibraries(): string[] {
  const report: unknown = process.report.getReport()
  if (typeof report !== 'object' || report === null || !('sharedObjects' in report)) return []
  const { sharedObjects } = report
  return Array.isArray(sharedObjects) ? sharedObjects.filter((name) => typeof name === 'string') : []
}

/** The programs, the parts of koffi and node-pty that are made for this platform, and the native ciphers if compiled. */
export function ownPrograms(): OwnFile[] {
  const dist = path.dirname(thisProgram())
  const programs = [dist, path.join(dist, 'programs')].flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.cjs') || name.endsWith('.txt'))
      .map((name) => path.join(folder, name))
      .map((from) => ({ from, to: path.join('dist', path.relative(dist, from)) })),
  )
  const koffi = installed('koffi')
  const pty = installed('node-pty')
  return [
    ...programs,
    // What it is in itself is for other platforms, and for compilers.
    ...existing(koffi, ['package.json', 'LICENSE.txt', 'index.cjs'], 'node_modules/koffi'),
    { from: installed(KOFFI_PLATFORM, koffiPlatform), to: `node_modules/${KOFFI_PLATFORM}` },
    ...existing(
      pty,
      ['package.json', 'LICENSE', 'lib', `prebuilds/${process.platform}-${process.arch}`, 'build/Release'],
      'node_modules/node-pty',
    ),
    ...existing(path.dirname(dist), ['LICENSE'], ''),
    ...nativeCiphers(),
  ]
}

/** @throws SshjobError 'program-missing' */
function installed(name: string, find = (from: string) => ownModule(name, from)): string {
  const found = find(pathToFileURL(thisProgram()).href)
  if (found !== undefined) return found
  throw new SshjobError(
    'program-missing',
    `The package ${name} is not installed beside sshjob: install it again.`,
  )
}

/** They are optional, and not installed in a copy like the one that is to be made. */
function nativeCiphers(): OwnFile[] {
  const ssh2 = ownModule('ssh2', pathToFileURL(thisProgram()).href)
  const cipher = 'lib/protocol/crypto/build/Release/sshcrypto.node'
  if (ssh2 === undefined || !existsSync(path.join(ssh2, cipher))) return []
  return existing(ssh2, ['package.json', cipher], 'node_modules/ssh2')
}

function existing(folder: string, parts: readonly string[], target: string): OwnFile[] {
  return parts
    .map((part) => ({ from: path.join(folder, part), to: path.posix.join(target, part) }))
    .filter(({ from }) => existsSync(from))
}

/** Copies them into an empty folder; links are followed, so that nothing leads out of it. */
export function copyOwnFiles(files: readonly OwnFile[], folder: string): void {
  for (const { from, to } of files) {
    const target = path.join(folder, to)
    mkdirSync(path.dirname(target), { recursive: true })
    cpSync(from, target, { recursive: true, dereference: true })
  }
}
