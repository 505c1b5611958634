import { createHash } from 'node:crypto'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Problem } from './problem.mjs'
import { run } from './run.mjs'

/**
 * A package of Debian as the pins name it.
 * @typedef {{ name: string, version: string, sha256: string, sources: string }} DebianPin `sources` are the
 *   source packages that it was made from, with their versions, between commas
 */

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'
/** Debian's names of architectures. */
export const DEBIAN_ARCHITECTURES = { x64: 'amd64', arm64: 'arm64' }
export const TRIPLETS = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' }

/** @returns {{ main: string, security: string | undefined }} where apt gets its packages from here */
function mirrorsOfApt() {
  const lines = run('apt-get', ['indextargets', '--format', '$(ORIGIN)|$(LABEL)|$(REPO_URI)']).split('\n')
  const of = (label) => lines.find((line) => line.startsWith(`Debian|${label}|`))?.split('|')[2]
  const main = of('Debian')
  if (main === undefined)
    throw new Problem(
      'apt knows no mirror of Debian here: run `apt-get update`, or name one with --mirror URL.',
    )
  return { main, security: of('Debian-Security') }
}

/**
 * Debian's packages of one suite, for both architectures, whatever this machine's own is: apt's, with lists of its own
 * in a temporary directory. It checks Debian's signatures as for the machine's packages.
 */
export class Debian {
  #directory = mkdtempSync(join(tmpdir(), 'sshjob-shim-apt-'))
  #options

  /**
   * @param {string} suite
   * @param {string | undefined} mirror
   * @param {readonly ('deb' | 'deb-src')[]} kinds packages, and their sources
   */
  constructor(suite, mirror, kinds = ['deb']) {
    const { main, security } = mirror === undefined ? mirrorsOfApt() : { main: mirror }
    for (const name of ['lists/partial', 'cache/archives/partial'])
      mkdirSync(join(this.#directory, name), { recursive: true })
    const file = (name, text) => {
      writeFileSync(join(this.#directory, name), text)
      return join(this.#directory, name)
    }
    const places = [
      [main, suite],
      [main, `${suite}-updates`],
      ...(security ? [[security, `${suite}-security`]] : []),
    ]
    const lines = places.flatMap(([uri, of]) =>
      kinds.map((kind) => `${kind} [signed-by=${KEYRING}] ${uri} ${of} main\n`),
    )
    this.#options = [
      ...[`Dir::State::lists=${join(this.#directory, 'lists')}`, `Dir::State::status=${file('status', '')}`],
      ...[`Dir::Cache=${join(this.#directory, 'cache')}`, 'Dir::Etc::sourceparts=/dev/null'],
      `Dir::Etc::sourcelist=${file('sources.list', lines.join(''))}`,
      // A user that may not write to our directories.
      'APT::Sandbox::User=root',
      ...Object.values(DEBIAN_ARCHITECTURES).map((name) => `APT::Architectures::=${name}`),
    ].flatMap((option) => ['-o', option])
    try {
      run('apt-get', [...this.#options, '-qq', '-o', 'APT::Update::Error-Mode=any', 'update'])
    } catch (error) {
      this.close()
      throw error
    }
  }

  close() {
    rmSync(this.#directory, { recursive: true, force: true })
  }

  /**
   * The newest versions of these packages, as pins.
   * @returns {DebianPin[]}
   */
  newest(names, arch) {
    const said = run('apt-cache', [...this.#options, '--no-all-versions', 'show', ...namesFor(names, arch)])
    return said
      .trim()
      .split('\n\n')
      .map((text) => {
        const field = (key) => new RegExp(`^${key}: (.*)$`, 'm').exec(text)?.[1]
        const [name, version] = [field('Package'), field('Version')]
        const [, source = name, of = version] = /^(\S+)(?: \((.+)\))?$/.exec(field('Source') ?? '') ?? []
        // Those that are linked into its files: Debian's policy, 7.8.
        const inside = (field('Built-Using') ?? '').split(', ').filter(Boolean)
        const sources = [
          `${source} ${of}`,
          ...inside.map((text) => text.replace(/^(\S+) \(= (.+)\)$/, '$1 $2')),
        ]
        return { name, version, sha256: field('SHA256'), sources: sources.join(', ') }
      })
  }

  /**
   * @param {readonly DebianPin[]} pins
   * @param {string} directory where the packages are put
   * @throws Problem where a package is not there any more, or not what was pinned
   */
  download(pins, arch, directory) {
    const fresh = mkdtempSync(join(this.#directory, 'packages-'))
    const wanted = pins.map(({ name, version }) => `${name}:${DEBIAN_ARCHITECTURES[arch]}=${version}`)
    try {
      run('apt-get', [...this.#options, '-qq', 'download', ...wanted], { cwd: fresh })
    } catch (error) {
      const [, version, name] = /Version '(.*)' for '(.*?)(?::.*)?' was not found/.exec(String(error)) ?? []
      throw name === undefined ? error : movedOn(name, version, directory)
    }
    const files = readdirSync(fresh)
    for (const pin of pins) {
      const got = files.find((file) => file.startsWith(`${pin.name}_`))
      if (got === undefined || sha256Of(join(fresh, got)) !== pin.sha256)
        throw new Problem(`${pin.name} ${pin.version} is not the package that was pinned: it was not used.`)
      // From one file system to another, maybe.
      copyFileSync(join(fresh, got), join(directory, `.${got}`))
      renameSync(join(directory, `.${got}`), join(directory, fileNameOf(pin, arch)))
    }
  }

  /** Puts the files of source packages into a directory. They are named as in a pin. */
  downloadSources(sources, directory) {
    mkdirSync(directory, { recursive: true })
    const wanted = sources.map((source) => source.replace(' ', '='))
    run('apt-get', [...this.#options, '-qq', 'source', '--download-only', ...wanted], { cwd: directory })
  }
}

/** The source packages of a pin, each with its version. */
export const sourcesIn = ({ sources }) => sources.split(', ')

const namesFor = (names, arch) => names.map((name) => `${name}:${DEBIAN_ARCHITECTURES[arch]}`)

const fileNameOf = ({ name, version }, arch) =>
  `${name}_${version.replace(/^\d+:/, '')}_${DEBIAN_ARCHITECTURES[arch]}.deb`

/** Debian keeps only the newest version of a package in a suite. */
const movedOn = (name, version, directory) =>
  new Problem(
    `Debian's mirror has a newer ${name} than the pinned ${version}: \`npm run shim -- --renew-pins\` pins what it has now. (The old package, as snapshot.debian.org keeps it, can be put into ${directory} instead.)`,
  )

const sha256Of = (file) => createHash('sha256').update(readFileSync(file)).digest('hex')

/**
 * The pinned packages, from the downloads or the mirror; each is what its pin says, byte for byte.
 * @param {readonly DebianPin[]} pins
 * @param {() => Debian} debian asked for only where something is missing
 * @returns {string[]} their files
 */
export function fetchDebianPackages(pins, arch, downloads, debian) {
  mkdirSync(downloads, { recursive: true })
  const fileOf = (pin) => join(downloads, fileNameOf(pin, arch))
  const missing = pins.filter((pin) => !existsSync(fileOf(pin)) || sha256Of(fileOf(pin)) !== pin.sha256)
  if (missing.length > 0) debian().download(missing, arch, downloads)
  return pins.map(fileOf)
}

export function unpackDebianPackages(archives, folder) {
  mkdirSync(folder, { recursive: true })
  for (const archive of archives) run('dpkg-deb', ['-x', archive, folder])
  return folder
}
