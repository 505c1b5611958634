import { readFileSync, writeFileSync } from 'node:fs'
import { newestNpmPackage } from './npm-packages.mjs'
import { Problem } from './problem.mjs'

/**
 * What a shim is made of that is not in this checkout.
 * @typedef {{
 *   suite: string,
 *   architectures: Record<Architecture, { npm: import('./npm-packages.mjs').NpmPin[], debian: import('./debian-packages.mjs').DebianPin[] }>
 * }} Pins
 * @typedef {'x64' | 'arm64'} Architecture
 */

/** @type {readonly Architecture[]} */
export const ARCHITECTURES = ['x64', 'arm64']

/** Not the newest of all: a version with long-term support. */
const NODE_RANGE = '24'
/** As the dependency of sshjob. */
const KOFFI_RANGE = '3.3.4'

export const nodePackage = (arch) => `node-linux-${arch}`
export const koffiAddon = (arch) => `@koromix/koffi-linux-${arch}`
/** The last two have licences alone: of libstdc++ and libgcc, and the texts that Debian's packages refer to. */
const DEBIAN_PACKAGES = ['libc6', 'libgcc-s1', 'libstdc++6', 'busybox-static', 'gcc-14-base', 'base-files']

/** @returns {Pins} */
export function readPins(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new Problem(`The pins in ${file} can't be read: ${error.message}`)
  }
}

/**
 * Pins what the registry and the mirror have now.
 * @param {string} file
 * @param {() => import('./debian-packages.mjs').Debian} debian
 */
export function renewPins(file, debian) {
  const { suite } = readPins(file)
  const koffi = newestNpmPackage('koffi', KOFFI_RANGE)
  const architectures = Object.fromEntries(
    ARCHITECTURES.map((arch) => [
      arch,
      {
        npm: [
          newestNpmPackage(nodePackage(arch), NODE_RANGE),
          koffi,
          newestNpmPackage(koffiAddon(arch), KOFFI_RANGE),
        ],
        debian: debian().newest(DEBIAN_PACKAGES, arch),
      },
    ]),
  )
  writeFileSync(file, `${JSON.stringify({ suite, architectures }, null, 2)}\n`)
}

/** The pin of this package. */
export function pinOf(pins, name) {
  const pin = pins.find((candidate) => candidate.name === name)
  if (pin === undefined) throw new Error(`The pins have no ${name}.`)
  return pin
}
