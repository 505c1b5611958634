// npm run shim [-- OPTIONS]: builds the container shim. See docs/container-shim.md.
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { packNpm, packTar } from './archive.mjs'
import { assemble, filesBelow } from './assemble.mjs'
import { Debian, fetchDebianPackages, unpackDebianPackages } from './debian-packages.mjs'
import { sourcesOf } from './licences.mjs'
import { fetchNpmPackage, unpackNpmPackage } from './npm-packages.mjs'
import { ARCHITECTURES, koffiAddon, nodePackage, pinOf, readPins, renewPins } from './pins.mjs'
import { Problem } from './problem.mjs'
import { describe } from './sbom.mjs'
import { tryOut } from './try-out.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const HELP = `Usage: npm run shim [-- OPTIONS]

  --arch ARCH       x64, arm64 or all; default: this machine's
  --out DIR         where what is built goes; default: container-shim/dist
  --no-pack         the directory alone, no archives
  --pins FILE       what it is built from; default: container-shim/pins.json
  --renew-pins      pin what npm's registry and Debian's mirror have now, and build nothing
  --sources DIR     download the source packages of what comes from Debian, and build nothing
  --mirror URL      Debian's mirror; default: apt's
  --downloads DIR   where what was downloaded is kept; default: node_modules/.cache/container-shim
`

function readOptions() {
  const { values } = parseArgs({
    options: {
      arch: { type: 'string', default: process.arch },
      out: { type: 'string', default: join(root, 'container-shim/dist') },
      'no-pack': { type: 'boolean', default: false },
      pins: { type: 'string', default: join(root, 'container-shim/pins.json') },
      'renew-pins': { type: 'boolean', default: false },
      sources: { type: 'string' },
      mirror: { type: 'string' },
      downloads: { type: 'string', default: join(root, 'node_modules/.cache/container-shim') },
      help: { type: 'boolean', default: false },
    },
  })
  const architectures =
    values.arch === 'all' ? ARCHITECTURES : ARCHITECTURES.filter((arch) => arch === values.arch)
  if (architectures.length === 0)
    throw new Problem(`--arch ${values.arch} is none of ${ARCHITECTURES.join(', ')}, all.`)
  return { ...values, architectures, out: resolve(values.out), downloads: resolve(values.downloads) }
}

/** apt's lists are made when something is first missing, and are for both architectures. */
function lazily(make) {
  let made
  return { get: () => (made ??= make()), close: () => made?.close() }
}

function unpack(arch, pins, { downloads }, debian, work) {
  const fromNpm = (name) =>
    unpackNpmPackage(fetchNpmPackage(pinOf(pins.npm, name), downloads), join(work, name.replace('/', '+')))
  return {
    root,
    node: fromNpm(nodePackage(arch)),
    koffi: fromNpm('koffi'),
    koffiAddon: fromNpm(koffiAddon(arch)),
    debian: unpackDebianPackages(
      fetchDebianPackages(pins.debian, arch, downloads, debian),
      join(work, 'debian'),
    ),
  }
}

function build(arch, { suite, architectures }, options, debian) {
  const pins = architectures[arch]
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const { out } = options
  mkdirSync(out, { recursive: true })
  // Beside its place, and moved there when it is whole and has been seen to run: so it has run at another path, too.
  const work = mkdtempSync(join(out, '.new-'))
  try {
    const parts = unpack(arch, pins, options, debian, join(work, 'parts'))
    const fresh = join(work, `linux-${arch}`)
    mkdirSync(fresh)
    assemble(fresh, arch, parts, pins)
    const untried = tryOut(fresh, arch)
    const bom = describe(arch, parts, pins, suite)
    const directory = join(out, `linux-${arch}`)
    // What runs from there goes on for a moment.
    if (existsSync(directory)) renameSync(directory, join(work, 'old'))
    renameSync(fresh, directory)
    const name = `sshjob-shim-${version}-linux-${arch}`
    const bomFile = join(out, `${name}.cdx.json`)
    writeFileSync(bomFile, bom)
    const made = options['no-pack'] ? [] : pack(arch, version, directory, bomFile, join(out, name))
    tell(arch, directory, bomFile, made, untried)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

function pack(arch, version, directory, bom, target) {
  const archive = `${target}.tar.gz`
  packTar(directory, archive)
  const name = `sshjob-shim-linux-${arch}`
  const npmArchive = join(dirname(target), `${name}-${version}.tgz`)
  const readme = `# ${name}\n\nA part of sshjob, which finds it by itself: what it needs to enter containers\nthat have no Node.js, no shell, nothing. Licences and where the sources are: \`shim/LICENSES\`.\n`
  packNpm({ directory, bom, name, version, arch, readme, target: npmArchive })
  return [archive, npmArchive]
}

const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`

function tell(arch, directory, bom, archives, untried) {
  const sizes = filesBelow(directory).map((name) => ({ name, bytes: lstatSync(join(directory, name)).size }))
  const sum = (prefix) =>
    sizes.filter(({ name }) => name.startsWith(prefix)).reduce((total, { bytes }) => total + bytes, 0)
  const parts = ['bin/node', 'bin/busybox', 'lib/', 'programs/', 'node_modules/', 'LICENSES/']
  console.log(
    `${directory}: ${megabytes(sum(''))} (${parts.map((name) => `${name} ${megabytes(sum(name))}`).join(', ')})`,
  )
  for (const file of archives) console.log(`${file}: ${megabytes(lstatSync(file).size)}`)
  console.log(bom)
  if (untried !== undefined) console.log(`It was not seen to run, since it is for ${arch}, and ${untried}.`)
}

function main() {
  const options = readOptions()
  if (options.help) return process.stdout.write(HELP)
  const pins = readPins(options.pins)
  const kinds = options.sources === undefined ? ['deb'] : ['deb-src']
  const debian = lazily(() => new Debian(pins.suite, options.mirror, kinds))
  process.umask(0o022)
  try {
    if (options['renew-pins']) return renewPins(options.pins, debian.get)
    if (options.sources !== undefined) {
      const wanted = new Set(options.architectures.flatMap((arch) => sourcesOf(pins.architectures[arch])))
      return debian.get().downloadSources([...wanted], resolve(options.sources))
    }
    if (!existsSync(join(root, 'dist/programs/sshjob-server.cjs')))
      throw new Problem('There is nothing in dist: run `npm run build`.')
    for (const arch of options.architectures) build(arch, pins, options, debian.get)
  } finally {
    debian.close()
  }
}

try {
  main()
} catch (error) {
  const told = error instanceof Problem || error.code?.startsWith('ERR_PARSE_ARGS')
  console.error(`The container shim was not built: ${told ? error.message : error.stack}`)
  process.exitCode = 1
}
