// node scripts/ensure.mjs install|build: does what is missing, and nothing when all is there.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
/** Written by the build; as old as the oldest of them is the build. */
const OUTPUTS = [
  'dist/index.js',
  'dist/sshjob.cjs',
  'dist/sshjob-server',
  'dist/sshjob-server.cjs',
  'dist/sshjob-files.cjs',
  'dist/types/index.d.ts',
]
const INPUTS = [
  'src',
  ...['build.mjs', 'commonjs-in-module.mjs', 'licences.mjs', 'mend-ssh2.mjs', 'tsconfig.types.json'].map(
    (name) => `scripts/${name}`,
  ),
]
const SETTINGS = ['package.json', 'package-lock.json', 'tsconfig.json']

/** When a file was changed, or the newest file below a folder; undefined if it is not there. */
function modified(path) {
  const absolute = join(root, path)
  if (!existsSync(absolute)) return undefined
  const stat = statSync(absolute)
  if (!stat.isDirectory()) return stat.mtimeMs
  // The folder itself counts: a removed file changes only that.
  return Math.max(stat.mtimeMs, ...readdirSync(absolute).map((name) => modified(join(path, name)) ?? 0))
}

function fail(sentence) {
  console.error(sentence)
  process.exit(1)
}

/** Its output goes to stderr: our caller's stdout belongs to the caller (`npm pack --json`). */
function run(command, args, sentence) {
  const result = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2] })
  if (result.error) fail(`${sentence} ${command} could not be started: ${result.error.message}`)
  if (result.status !== 0) fail(sentence)
}

function install() {
  const lock = modified('package-lock.json')
  if (lock === undefined) fail('There is no package-lock.json here: this is not a complete checkout.')
  const installed = modified('node_modules/.package-lock.json')
  if (installed !== undefined && installed >= lock) return
  console.error('Installing the development dependencies …')
  // The npm that runs us, if one does: another may be first in PATH. Some shells have npm only as a wrapper.
  const running = process.env.npm_execpath
  const [command, first] = running?.endsWith('npm-cli.js') ? [process.execPath, [running]] : ['npm', []]
  // --no-global, --location: `npm install -g .` runs us with its own settings, and means another place.
  // --include=dev: with NODE_ENV=production npm would leave out the compiler.
  const args = [
    'ci',
    '--no-global',
    '--location=project',
    '--ignore-scripts',
    '--include=dev',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ]
  run(
    command,
    [...first, ...args],
    'The dependencies could not be installed. Run `npm ci --ignore-scripts` to see why; it needs the npm registry.',
  )
}

function build() {
  const inputs = [...INPUTS, ...SETTINGS].map((path) => modified(path) ?? 0)
  const outputs = OUTPUTS.map((path) => modified(path) ?? Number.NEGATIVE_INFINITY)
  if (Math.min(...outputs) >= Math.max(...inputs)) return
  console.error('Building …')
  run(process.execPath, [join(root, 'scripts/build.mjs')], 'The build failed; the reason is above.')
}

const wanted = process.argv[2]
if (wanted !== 'install' && wanted !== 'build') fail('Usage: node scripts/ensure.mjs install|build')
if (Number(process.versions.node.split('.')[0]) < 20)
  fail(`Node.js 20 or later is needed; this is ${process.version}.`)
install()
if (wanted === 'build') build()
