import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Problem } from './problem.mjs'
import { run } from './run.mjs'

/**
 * A package as the pins name it.
 * @typedef {{ name: string, version: string, integrity: string }} NpmPin
 */

/** npm's own, which may be another than the one in PATH; some shells have npm only as a wrapper. */
export function npm(args, options) {
  const running = process.env.npm_execpath
  return running?.endsWith('npm-cli.js')
    ? run(process.execPath, [running, ...args], options)
    : run('npm', args, options)
}

/**
 * The archive that npm makes of a package, alone in a new directory.
 * @param {string} directory of the package
 * @param {string} out made here
 * @returns {string} its file
 */
export function packInto(directory, out) {
  mkdirSync(out)
  const words = ['pack', directory, '--ignore-scripts', '--loglevel=error', '--pack-destination', out]
  npm(words, { cwd: dirname(out) })
  return join(out, readdirSync(out)[0] ?? '')
}

const hashOf = (file, integrity) => {
  const [algorithm] = integrity.split('-')
  return `${algorithm}-${createHash(algorithm).update(readFileSync(file)).digest('base64')}`
}

/**
 * The package's archive, from the downloads or from npm's registry; it is what the pin says, byte for byte.
 * @param {NpmPin} pin
 * @param {string} downloads
 * @returns {string} its file
 */
export function fetchNpmPackage({ name, version, integrity }, downloads) {
  const file = join(downloads, `${name.replace('/', '+')}-${version}.tgz`)
  if (existsSync(file) && hashOf(file, integrity) === integrity) return file
  mkdirSync(downloads, { recursive: true })
  const fresh = mkdtempSync(join(downloads, '.npm-'))
  try {
    const [packed] = JSON.parse(
      npm(['pack', `${name}@${version}`, '--ignore-scripts', '--json', '--pack-destination', fresh]),
    )
    const got = join(fresh, packed.filename)
    if (hashOf(got, integrity) !== integrity)
      throw new Problem(`${name} ${version} is not the archive that was pinned: nothing of it was used.`)
    renameSync(got, file)
  } finally {
    rmSync(fresh, { recursive: true, force: true })
  }
  return file
}

/** @returns {string} a folder with the package's files */
export function unpackNpmPackage(archive, folder) {
  mkdirSync(folder, { recursive: true })
  run('tar', ['-xzf', archive, '-C', folder, '--strip-components=1', '--no-same-owner'])
  return folder
}

/**
 * The newest version of a package in this range, as a pin.
 * @returns {NpmPin}
 */
export function newestNpmPackage(name, range) {
  const found = JSON.parse(npm(['view', `${name}@${range}`, 'version', 'dist.integrity', '--json']))
  const versions = [found].flat()
  const newest = versions.sort((a, b) => a.version.localeCompare(b.version, 'en', { numeric: true })).at(-1)
  return { name, version: newest.version, integrity: newest['dist.integrity'] }
}
