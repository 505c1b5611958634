// Builds dist/: the library, the programs, their man pages, the types, and the licences of what is bundled.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { COMMONJS_IN_MODULE } from './commonjs-in-module.mjs'
import { collectLicences } from './licences.mjs'
import { mendedSsh2 } from './mend-ssh2.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const dist = join(root, 'dist')
/** Built beside dist and moved there at the end: whoever runs dist meanwhile never sees half of it. */
const fresh = join(root, `dist.new-${process.pid}`)
const LIBRARY = { index: 'src/index.ts' }
const PROGRAMS = {
  sshjob: 'src/cli/sshjob.ts',
  'sshjob-server': 'src/cli/sshjob-server.ts',
  'sshjob-keygen': 'src/cli/sshjob-keygen.ts',
  'sshjob-files': 'src/cli/sshjob-files.ts',
}

/** Runs one of the programs, which lie in a folder of their own. */
const LAUNCHER = { launch: 'src/cli/launch.ts' }

/** ES modules' own URL inside of CommonJS. */
const MODULE_IN_COMMONJS = "const __importMetaUrl = require('node:url').pathToFileURL(__filename).href"

/**
 * ssh2 is bundled, its native ciphers can't be. They are looked for when the program runs, in the package ssh2 that is
 * installed with it (core/own-module.ts says why nowhere else): where a compiler was at hand they are there, and ssh2 catches the error where they are not. Another
 * version's binding is left alone: nobody has tested it with the bundled code.
 */
const nativeCiphers = {
  name: 'native-ciphers',
  setup(plugin) {
    const version = createRequire(import.meta.url)('ssh2/package.json').version
    plugin.onResolve({ filter: /\/sshcrypto\.node$/ }, (args) => ({
      path: args.path,
      namespace: 'sshcrypto',
    }))
    plugin.onLoad({ filter: /.*/, namespace: 'sshcrypto' }, () => ({
      contents: `
        const { ownModule } = require('./src/core/own-module.ts')
        const directory = ownModule('ssh2', require('node:url').pathToFileURL(__filename).href)
        const file = directory + '/lib/protocol/crypto/build/Release/sshcrypto.node'
        if (directory === undefined || !require('node:fs').existsSync(file)) throw new Error('There are no native ciphers.')
        const load = require('node:module').createRequire(__filename)
        const { version } = load(directory + '/package.json')
        if (version !== ${JSON.stringify(version)}) throw new Error('The native ciphers are of ssh2 ' + version + '.')
        module.exports = load(file)`,
      resolveDir: root,
    }))
    // Only ssh2's default order of ciphers asks for it, and that order is not used here.
    plugin.onResolve({ filter: /^cpu-features$/ }, (args) => ({ path: args.path, namespace: 'absent' }))
    plugin.onLoad({ filter: /.*/, namespace: 'absent' }, (args) => ({
      contents: `throw new Error('${args.path} is left out.')`,
    }))
  },
}

/** ssh2 makes a compressor when it is loaded, only to know its class. Compression is never offered. */
const noCompression = {
  name: 'no-compression',
  setup(plugin) {
    plugin.onResolve({ filter: /^zlib$/ }, ({ path, importer }) =>
      importer.endsWith('ssh2/lib/protocol/zlib.js') ? { path, namespace: 'unused' } : undefined,
    )
    plugin.onLoad({ filter: /.*/, namespace: 'unused' }, () => ({
      contents: 'module.exports = { constants: {}, createInflate: () => ({ _handle: {} }) }',
    }))
  },
}

/**
 * @param {import('esbuild').BuildOptions} options
 * @returns {Promise<string[]>} the files that went in
 */
async function bundle(options) {
  const result = await build({
    absWorkingDir: root,
    outdir: fresh,
    bundle: true,
    platform: 'node',
    target: 'node20',
    external: ['koffi', 'node-pty'],
    legalComments: 'none',
    logLevel: 'warning',
    metafile: true,
    plugins: [nativeCiphers, noCompression, mendedSsh2],
    ...options,
  })
  return Object.keys(result.metafile.inputs)
}

const bundleLibrary = () =>
  bundle({ entryPoints: LIBRARY, format: 'esm', banner: { js: COMMONJS_IN_MODULE } })

/**
 * CommonJS, one file each: Node.js starts such a program faster than an ES module, and much faster than one in many
 * files. What it imports dynamically is inside as well, and still not run before it is asked for.
 */
const bundlePrograms = () =>
  bundle({
    entryPoints: { ...PROGRAMS, ...LAUNCHER },
    outdir: join(fresh, 'programs'),
    format: 'cjs',
    outExtension: { '.js': '.cjs' },
    banner: { js: MODULE_IN_COMMONJS },
    define: { 'import.meta.url': '__importMetaUrl' },
  })

/**
 * Says in the first line which program this is, by which launch() knows what was kept of it: working that out would be
 * a tenth of what happens before a job is reached. And leaves ASCII alone, which Node.js reads in half the time; esbuild
 * escapes all but what stands in comments.
 * @param {string} file
 */
function markProgram(file) {
  const text = readFileSync(file, 'utf8').replaceAll('§', 'section ')
  const [other] = /[^\0-\x7f]/.exec(text) ?? []
  if (other !== undefined) throw new Error(`${file} has a character that is not ASCII: ${other}`)
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 16)
  writeFileSync(file, `// ${hash}\n${text}`)
}

/** dist/sshjob-server, a script for sh: what package managers link to. Its options are the server's. */
async function writeWrapper() {
  const maker = join(fresh, 'wrapper-script.mjs')
  await bundle({
    entryPoints: ['src/cli/server/wrapper/wrapper-script.ts'],
    format: 'esm',
    outExtension: { '.js': '.mjs' },
  })
  const { wrapperScript } = await import(pathToFileURL(maker).href)
  rmSync(maker)
  const file = join(fresh, 'sshjob-server')
  writeFileSync(file, wrapperScript(readFileSync(join(root, 'src/cli/server/wrapper/wrapper.sh'), 'utf8')))
  chmodSync(file, 0o755)
}

/** @param {string} outdir */
function emitTypes(outdir) {
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  execFileSync(
    process.execPath,
    [tsc, '-p', join(root, 'scripts/tsconfig.types.json'), '--outDir', join(outdir, 'types')],
    {
      stdio: 'inherit',
      cwd: root,
    },
  )
}

/** For every Node.js there was. In front of a job, wrapper.sh reads it from the last of the descriptors that it names. */
const TOO_OLD = `if (parseInt(process.versions.node, 10) < 20) {
  var why = 'Node.js ' + process.version + ' is too old: sshjob needs version 20 or later.'
  var wrapper = (process.env.SSHJOB_WRAPPER || '').split(' ')[5]
  if (wrapper) require('fs').writeSync(Number(wrapper), 'bare ' + why + '\\n')
  else process.stderr.write(why + '\\n')
  process.exit(255)
}`

/**
 * The man pages are made of what the programs say of themselves. They bear the date of the build, or that of
 * SOURCE_DATE_EPOCH (reproducible-builds.org).
 */
async function writeManPages() {
  const seconds = process.env.SOURCE_DATE_EPOCH
  const date = seconds === undefined ? new Date() : new Date(Number(seconds) * 1_000)
  const outdir = join(fresh, 'manuals')
  await bundle({
    entryPoints: { pages: 'src/cli/manual/pages.ts' },
    outdir,
    format: 'esm',
    banner: { js: COMMONJS_IN_MODULE },
  })
  const { manPages } = await import(pathToFileURL(join(outdir, 'pages.js')).href)
  mkdirSync(join(fresh, 'man'))
  for (const [file, text] of await manPages(date)) writeFileSync(join(fresh, 'man', file), text)
  rmSync(outdir, { recursive: true })
}

/** @param {string} name */
function writeProgram(name) {
  const file = join(fresh, `${name}.cjs`)
  const program = `./programs/${name}.cjs`
  writeFileSync(
    file,
    `#!/usr/bin/env node
${TOO_OLD}
require('./programs/launch.cjs').launch(require.resolve('${program}'))
`,
  )
  chmodSync(file, 0o755)
}

try {
  const inputs = [...(await bundleLibrary()), ...(await bundlePrograms())]
  emitTypes(fresh)
  for (const name of Object.keys(PROGRAMS)) {
    markProgram(join(fresh, `programs/${name}.cjs`))
    writeProgram(name)
  }
  await writeWrapper()
  await writeManPages()
  writeFileSync(join(fresh, 'THIRD-PARTY-LICENSES.txt'), collectLicences(root, inputs))
  const old = join(root, `dist.old-${process.pid}`)
  if (existsSync(dist)) renameSync(dist, old)
  renameSync(fresh, dist)
  rmSync(old, { recursive: true, force: true })
} catch (error) {
  rmSync(fresh, { recursive: true, force: true })
  console.error(
    `The build failed: ${error instanceof Error ? error.message : String(error)}\n` +
      'Nothing in dist was changed. If a package is missing, run: npm ci --ignore-scripts',
  )
  process.exitCode = 1
}
