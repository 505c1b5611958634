import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { TRIPLETS } from './debian-packages.mjs'
import { architectureOf, isElf, neededBy, stripped } from './elf.mjs'
import { writeLicences } from './licences.mjs'
import { koffiAddon, nodePackage, pinOf } from './pins.mjs'
import { seal } from './seal.mjs'

/** As npm has it for every file of a package. */
export const MODIFIED_S = 499_162_500
const LOADERS = { x64: 'ld-linux-x86-64.so.2', arm64: 'ld-linux-aarch64.so.1' }
/** What nothing is linked to: users of images whose nsswitch.conf(5) says `compat` are found with it. */
const LOADED_LATER = ['libnss_compat.so.2']

/**
 * Where the parts of a shim are.
 * @typedef {{
 *   root: string, node: string, koffi: string, koffiAddon: string, debian: string
 * }} Parts `root` is the checkout, with dist and node_modules; the others are unpacked packages
 */

/**
 * Makes the relocatable directory.
 * @param {string} target an empty directory
 * @param {import('./pins.mjs').Architecture} arch
 * @param {Parts} parts
 * @param {{ npm: import('./npm-packages.mjs').NpmPin[], debian: import('./debian-packages.mjs').DebianPin[] }} pins
 */
export function assemble(target, arch, parts, pins) {
  const version = JSON.parse(readFileSync(join(parts.root, 'package.json'), 'utf8')).version
  const put = (name, content, mode = 0o644) => {
    const file = join(target, name)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, content)
    chmodSync(file, mode)
  }
  const copy = (from, name, mode) => put(name, readFileSync(from), mode)

  put('bin/node', stripped(readFileSync(join(parts.node, 'bin/node'))), 0o755)
  // Not a link: packages of npm can have none.
  for (const name of ['busybox', 'sh']) copy(join(parts.debian, 'usr/bin/busybox'), `bin/${name}`, 0o755)
  putPrograms(put, copy, parts)
  putNodePty(copy, arch, parts.root)
  putKoffi(copy, arch, parts)
  putLibraries(target, put, arch, parts.debian)
  // Node.js would read that of the image, which may have it load other code: config(5SSL).
  put('lib/openssl.cnf', '')
  copy(join(parts.root, 'dist/sshjob-server'), 'sshjob-server', 0o755)
  const loader = `lib/${LOADERS[arch]}`
  put('start-node.sh', template('start-node.sh', { LOADER: loader }))
  // Where Node.js stops to look for what is above this directory.
  put('package.json', json({ name: 'sshjob-shim', version, private: true, type: 'commonjs' }))
  put(
    'shim.json',
    json({
      format: 1,
      version,
      platform: `linux-${arch}`,
      node: pinOf(pins.npm, nodePackage(arch)).version,
      loader,
    }),
  )
  writeLicences({ put, copy, arch, parts, pins, loader })
  checkArchitecture(target, arch)
  makeUniform(target)
}

const json = (value) => `${JSON.stringify(value, null, 2)}\n`

function template(name, values) {
  const text = readFileSync(new URL(`files/${name}`, import.meta.url), 'utf8')
  return text.replace(/@([A-Z]+)@/g, (_, key) => values[key])
}

function putPrograms(put, copy, { root }) {
  copy(join(root, 'dist/programs/sshjob-server.cjs'), 'programs/sshjob-server.cjs')
  put('sshjob-server.cjs', template('sshjob-server.cjs', {}))
  copy(join(root, 'dist/programs/sshjob-files.cjs'), 'programs/sshjob-files.cjs')
  put('sshjob-files.cjs', "require('./programs/sshjob-files.cjs')\n")
  // ssh2 is in the program, and looks for a package of that name, which may have native ciphers. It is not to find one of
  // the image's: with `exports`, Node.js ends its search here.
  const { version } = JSON.parse(readFileSync(join(root, 'node_modules/ssh2/package.json'), 'utf8'))
  put(
    'node_modules/ssh2/package.json',
    json({ name: 'ssh2', version, exports: { './package.json': './package.json' } }),
  )
}

function putNodePty(copy, arch, root) {
  const from = join(root, 'node_modules/node-pty')
  const to = 'node_modules/node-pty'
  for (const name of ['package.json', 'LICENSE', `prebuilds/linux-${arch}/pty.node`])
    copy(join(from, name), `${to}/${name}`)
  for (const name of filesBelow(join(from, 'lib'))) {
    if (name.endsWith('.js') && !name.endsWith('.test.js')) copy(join(from, 'lib', name), `${to}/lib/${name}`)
  }
}

function putKoffi(copy, arch, { koffi, koffiAddon: addon }) {
  for (const name of [
    'package.json',
    'LICENSE.txt',
    'index.cjs',
    'src/koffi/index.cjs',
    'src/koffi/src/static.cjs',
  ])
    copy(join(koffi, name), `node_modules/koffi/${name}`)
  // Not its build for musl: the C library is always ours.
  for (const name of ['package.json', 'index.js', `linux_${arch}/koffi.node`])
    copy(join(addon, name), `node_modules/${koffiAddon(arch)}/${name}`)
}

/** All that the programs and addons are linked to, and what that is linked to, from Debian's packages. */
function putLibraries(target, put, arch, debian) {
  const triplet = TRIPLETS[arch]
  const place = join(debian, 'usr/lib', triplet)
  const wanted = [
    LOADERS[arch],
    ...LOADED_LATER,
    ...filesBelow(target)
      .map((name) => readFileSync(join(target, name)))
      .filter(isElf)
      .flatMap(neededBy),
  ]
  for (let name = wanted.shift(); name !== undefined; name = wanted.shift()) {
    if (existsSync(join(target, 'lib', name))) continue
    if (!existsSync(join(place, name)))
      throw new Error(`${name} is in none of Debian's packages that are pinned.`)
    const library = readFileSync(realpathSync(join(place, name)))
    const isLoader = name === LOADERS[arch]
    put(`lib/${name}`, isLoader ? seal(library, triplet) : library, isLoader ? 0o755 : 0o644)
    wanted.push(...neededBy(library))
  }
}

/** Relative names of all files, sorted. */
export function filesBelow(directory) {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => lstatSync(join(directory, name)).isFile())
    .sort()
}

function checkArchitecture(directory, arch) {
  for (const name of filesBelow(directory)) {
    const file = readFileSync(join(directory, name))
    if (isElf(file) && architectureOf(file) !== arch)
      throw new Error(`${basename(name)} is for ${architectureOf(file)}.`)
  }
}

/** The same whatever the umask and the time of the build. */
function makeUniform(directory) {
  for (const name of ['', ...readdirSync(directory, { recursive: true, encoding: 'utf8' })]) {
    const path = join(directory, name)
    if (lstatSync(path).isDirectory()) chmodSync(path, 0o755)
    utimesSync(path, MODIFIED_S, MODIFIED_S)
  }
}
