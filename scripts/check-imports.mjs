// The rules of who may import whom, checked on every file below src. `node scripts/check-imports.mjs [FOLDER] [--part]`
// With --part, these are not all the files there are: that nobody uses a permission says nothing then.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Which folders of src the files of a folder may import, besides their own. */
const FOLDERS = {
  core: [],
  permissions: ['core'],
  hello: ['core'],
  process: ['core'],
  job: ['core', 'process', 'sockets'],
  ssh: ['core', 'job'],
  sockets: ['core'],
  server: ['core', 'permissions', 'job', 'ssh'],
  client: ['core', 'hello', 'process', 'job', 'ssh', 'sockets'],
  streams: ['core', 'process'],
  sshd: ['core', 'permissions', 'process', 'ssh', 'server'],
  enter: ['core'],
  'access-point': ['core', 'permissions', 'hello', 'streams'],
  engines: ['core', 'hello', 'process', 'job', 'ssh', 'client', 'sockets', 'streams'],
  starter: ['core', 'permissions', 'hello', 'process', 'job', 'ssh', 'server'],
  cli: [
    'core',
    'permissions',
    'hello',
    'process',
    'job',
    'ssh',
    'sockets',
    'server',
    'client',
    'streams',
    'access-point',
    'engines',
    'starter',
    'sshd',
  ],
}
/** The only places that may import a package. One that is not here may not be imported at all, but for Node.js' own. */
const PACKAGES = {
  'node:child_process': ['process/'],
  koffi: ['process/libc.ts'],
  'node-pty': ['process/pty.ts'],
  ssh2: ['ssh/ssh2/'],
  pino: ['cli/'],
  'cli-progress': ['cli/copy/progress.ts'],
}
/** Places that the folder around them has for itself. */
const INNER = ['ssh/ssh2/']
/** What of Node.js' own is not for a folder: the server touches files and the network of its job, and only through it. */
const NOT_FOR = {
  server: ['node:fs', 'node:fs/promises', 'node:net', 'node:dns', 'node:dns/promises', 'node:tls'],
}
/** The public API: it may name anything, and has exports only. */
const INDEX = 'index.ts'
/** Past this many lines, look for the second subject in the file. Told, not failed. */
const MANY_LINES = 350

/**
 * An engine is one folder and one line in the table of them: nothing else knows it by its name, but for the command that
 * its administrators have.
 */
const ENGINE = /^engines\/([^/]+)\//
const KNOWS_ENGINES = 'engines/engines.ts'
/** Its sockets are what the starter of a job listens on. */
const OPEN_ENGINE = 'local'

const words = process.argv.slice(2)
const isPart = words.includes('--part')
const root =
  words.find((word) => !word.startsWith('--')) ?? join(dirname(fileURLToPath(import.meta.url)), '..')
const src = join(root, 'src')
const problems = []
/** What each file imports, and from which folders to which there are imports: 'server ssh'. */
const imports = new Map()
const used = new Set()
const notes = []

function sourceFiles(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return sourceFiles(path)
    return entry.name.endsWith('.ts') && !entry.name.endsWith('.d.ts') ? [path] : []
  })
}

/** Block comments, and line comments that begin a line: what is commented out imports nothing. */
function withoutComments(text) {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
}

/** Type imports count: a type that is needed is a dependency as well. */
function importsOf(text) {
  const patterns = [
    /\b(?:import|export)\b[^'"`;()]*?\bfrom\s*['"]([^'"]+)['"]/g,
    /\bimport\s*['"]([^'"]+)['"]/g,
    /\b(?:import|require)\s*\(\s*['"`]([^'"`]+)['"`]/g,
  ]
  return patterns.flatMap((pattern) => [...text.matchAll(pattern)].map((match) => match[1]))
}

const mayKnow = (file, engine) =>
  file === KNOWS_ENGINES || [`engines/${engine}/`, `cli/${engine}/`].some((place) => file.startsWith(place))

function checkLocal(file, specifier) {
  const target = posix.normalize(posix.join(posix.dirname(file), specifier))
  if (target.startsWith('..')) return `imports ${specifier}, which is outside src`
  const source = target.replace(/\.js$/, '.ts')
  if (!target.endsWith('.js') || !existsSync(join(src, source)))
    return `imports ${specifier}, which is no file`
  if (file === INDEX) return undefined
  if (source === INDEX) return `imports ${specifier}: the public API is for others`
  const [, engine] = ENGINE.exec(source) ?? []
  if (engine !== undefined && engine !== OPEN_ENGINE && !mayKnow(file, engine))
    return `imports ${specifier}: only ${KNOWS_ENGINES}, engines/${engine}/ and cli/${engine}/ may`
  const inner = INNER.find((place) => source.startsWith(place))
  if (inner !== undefined && !file.startsWith(posix.join(inner, '../')))
    return `imports ${specifier}: only ${posix.join(inner, '../')} may`
  imports.set(file, [...(imports.get(file) ?? []), source])
  const [from] = file.split('/')
  const [to] = source.split('/')
  if (from === to) return undefined
  used.add(`${from} ${to}`)
  const allowed = FOLDERS[from]
  if (allowed === undefined) return `is in ${from}/, which scripts/check-imports.mjs doesn't know`
  return allowed.includes(to) ? undefined : `imports ${specifier}: ${from}/ may not import ${to}/`
}

function checkPackage(file, specifier) {
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
  const places = PACKAGES[name]
  if (places === undefined) return `imports ${specifier}, which scripts/check-imports.mjs doesn't know`
  const allowed = places.some((place) => file === place || (place.endsWith('/') && file.startsWith(place)))
  return allowed ? undefined : `imports ${specifier}: only ${places.join(', ')} may`
}

function checkImport(file, specifier) {
  const [folder] = file.split('/')
  if (NOT_FOR[folder]?.includes(specifier)) return `imports ${specifier}: ${folder}/ has the job's alone`
  if (specifier.startsWith('node:') && !(specifier in PACKAGES)) return undefined
  return specifier.startsWith('.') ? checkLocal(file, specifier) : checkPackage(file, specifier)
}

/** The shortest circle that leads from a file back to it. */
function circleThrough(start) {
  const cameFrom = new Map()
  const waiting = [start]
  for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
    for (const next of imports.get(file) ?? []) {
      if (next === start) {
        const way = [start]
        for (let at = file; at !== undefined; at = cameFrom.get(at)) way.unshift(at)
        return way
      }
      if (!cameFrom.has(next)) {
        cameFrom.set(next, file)
        waiting.push(next)
      }
    }
  }
  return undefined
}

function findCircles() {
  const told = new Set()
  for (const file of [...imports.keys()].sort()) {
    const circle = circleThrough(file)
    if (circle === undefined || circle.some((each) => told.has(each))) continue
    for (const each of circle) told.add(each)
    problems.push(`These import each other in a circle: ${circle.map((each) => `src/${each}`).join(' -> ')}.`)
  }
}

/** A folder that is not there yet may have its permissions already. */
function findUnused() {
  for (const [from, allowed] of Object.entries(FOLDERS)) {
    for (const to of allowed) {
      if (used.has(`${from} ${to}`) || !existsSync(join(src, from)) || !existsSync(join(src, to))) continue
      problems.push(
        `Nothing in src/${from} imports src/${to}: scripts/check-imports.mjs allows it for nothing.`,
      )
    }
  }
}

for (const path of sourceFiles(src)) {
  const file = relative(src, path)
  const text = readFileSync(path, 'utf8')
  const code = withoutComments(text)
  for (const specifier of importsOf(code)) {
    const problem = checkImport(file, specifier)
    if (problem !== undefined) problems.push(`src/${file} ${problem}.`)
  }
  // Node.js, esbuild and the tests' compiler agree on named exports only.
  if (/^export default\b/m.test(code)) problems.push(`src/${file} has a default export: give it a name.`)
  if (file === INDEX && code.replace(/\bexport\b[^'"]*\bfrom\s*'[^']+'/g, '').trim() !== '')
    problems.push(`src/${file} has more than exports.`)
  const lines = text.split('\n').length - 1
  if (lines > MANY_LINES) notes.push(`src/${file} has ${lines} lines: is there a second subject in it?`)
}

findCircles()
if (!isPart) findUnused()
for (const note of notes) console.error(`note: ${note}`)
for (const problem of problems) console.error(problem)
if (problems.length > 0) process.exitCode = 1
