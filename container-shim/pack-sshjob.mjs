import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { packInto, unpackNpmPackage } from './npm-packages.mjs'
import { ARCHITECTURES } from './pins.mjs'

/**
 * The package sshjob as it is published: it names the packages of the shims as optional dependencies, of just its version.
 * It doesn't in a checkout, where `npm ci` would ask the registry for packages that are made of that checkout.
 * @param {string} root the checkout, with what is built
 * @param {string} out where its archive is put
 * @returns {string} the archive
 */
export function packSshjob(root, out) {
  const work = mkdtempSync(join(out, '.sshjob-'))
  try {
    const plain = unpackNpmPackage(packInto(root, join(work, 'first')), join(work, 'package'))
    const file = join(plain, 'package.json')
    const { scripts: _, devDependencies: __, ...manifest } = JSON.parse(readFileSync(file, 'utf8'))
    const { version } = manifest
    const optionalDependencies = Object.fromEntries(
      ARCHITECTURES.map((arch) => [`sshjob-shim-linux-${arch}`, version]),
    )
    writeFileSync(file, `${JSON.stringify({ ...manifest, optionalDependencies }, null, 2)}\n`)
    const target = join(out, `sshjob-${version}.tgz`)
    renameSync(packInto(plain, join(work, 'second')), target)
    return target
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}
