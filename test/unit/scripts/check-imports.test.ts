import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { runProgram } from '../../helpers/programs.js'

const CHECK = join(process.cwd(), 'scripts/check-imports.mjs')
let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'imports-'))
  write('core/errors.ts', 'export const a = 1\n')
  write('ssh/keys.ts', 'export const b = 1\n')
  write(
    'ssh/ssh2/key-parser.ts',
    "import keyParser from 'ssh2/lib/protocol/keyParser.js'\nexport const f = keyParser\n",
  )
  write('hello/line.ts', "import { a } from '../core/errors.js'\nexport const e = a\n")
  write('server/serve.ts', "import { b } from '../ssh/keys.js'\nexport const c = b\n")
  write('streams/unix.ts', "import { a } from '../core/errors.js'\nexport const d = a\n")
  write('index.ts', "/** The API. */\nexport { c } from './server/serve.js'\n")
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

function write(file: string, text: string): void {
  const path = join(folder, 'src', file)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

async function check(options = ['--part']): Promise<{ exitCode: number | null; stderr: string }> {
  const { exitCode, stderr } = await runProgram(CHECK, [folder, ...options])
  return { exitCode, stderr }
}

test('imports that point right are accepted', async () => {
  write('ssh/x.ts', "export { f } from './ssh2/key-parser.js'\n")
  expect(await check()).toEqual({ exitCode: 0, stderr: '' })
})

test.each([
  ['server/x.ts', "import { d } from '../streams/unix.js'", 'server/ may not import streams/.'],
  ['server/x.ts', "import type {\n  D,\n} from '../streams/unix.js'", 'server/ may not import streams/.'],
  ['server/x.ts', "import type { Stats } from 'node:fs'", "server/ has the job's alone."],
  ['server/x.ts', "import net from 'node:net'", "server/ has the job's alone."],
  ['server/x.ts', "import { e } from '../hello/line.js'", 'server/ may not import hello/.'],
  ['core/x.ts', "export * from '../ssh/keys.js'", 'core/ may not import ssh/.'],
  ['core/x.ts', "const x = await import('../ssh/keys.js')", 'core/ may not import ssh/.'],
  ['streams/x.ts', "import '../server/serve.js'", 'streams/ may not import server/.'],
  ['access-point/x.ts', "import { b } from '../ssh/keys.js'", 'access-point/ may not import ssh/.'],
  [
    'other/x.ts',
    "import { b } from '../ssh/keys.js'",
    "other/, which scripts/check-imports.mjs doesn't know.",
  ],
  ['server/x.ts', "import P from 'ssh2/lib/protocol/Protocol.js'", 'only ssh/ssh2/ may.'],
  ['ssh/x.ts', "import P from 'ssh2/lib/protocol/Protocol.js'", 'only ssh/ssh2/ may.'],
  ['ssh/x.ts', "import type { ParsedKey } from 'ssh2'", 'only ssh/ssh2/ may.'],
  ['ssh/ssh2.ts', "const P = await import('ssh2')", 'only ssh/ssh2/ may.'],
  ['server/x.ts', "import { f } from '../ssh/ssh2/key-parser.js'", 'only ssh/ may.'],
  ['job/pipes.ts', "const ffi = await import('koffi')", 'only process/libc.ts may.'],
  ['job/terminal.ts', "const pty = await import('node-pty')", 'only process/pty.ts may.'],
  ['streams/x.ts', "import { spawn } from 'node:child_process'", 'only process/ may.'],
  ['streams/x.ts', "import { spawn } from 'child_process'", "which scripts/check-imports.mjs doesn't know."],
  ['ssh/x.ts', "import x from '@scope/left-pad/x.js'", "which scripts/check-imports.mjs doesn't know."],
  ['server/x.ts', "import { c } from '../index.js'", 'the public API is for others.'],
  ['server/x.ts', "import { c } from './serve'", 'which is no file.'],
  ['server/x.ts', "import { c } from '../../package.js'", 'which is outside src.'],
  ['server/x.ts', 'export default 1', 'has a default export: give it a name.'],
  ['index.ts', 'export const x = 1', 'has more than exports.'],
])('%s with `%s` is refused', async (file, text, sentence) => {
  write(file, `${text}\n`)
  const { exitCode, stderr } = await check()
  expect(stderr).toContain(`src/${file} `)
  expect(stderr).toContain(sentence)
  expect(exitCode).toBe(1)
})

test.each([
  [
    'by values',
    "import { z } from './z.js'\nexport const y = z\n",
    "import { y } from './y.js'\nexport const z = y\n",
  ],
  [
    'by a type',
    "import type { Z } from './z.js'\nexport type Y = Z\n",
    "import { y } from './y.js'\nexport type Z = typeof y\n",
  ],
  ['later', "export const y = () => import('./z.js')\n", "import { y } from './y.js'\nexport const z = y\n"],
])('files that import each other %s are refused, with the way around', async (_how, y, z) => {
  write('core/x.ts', "import { y } from './y.js'\nexport const x = y\n")
  write('core/y.ts', y)
  write('core/z.ts', z)
  expect(await check()).toEqual({
    exitCode: 1,
    stderr: 'These import each other in a circle: src/core/y.ts -> src/core/z.ts -> src/core/y.ts.\n',
  })
})

test('a file that imports itself is a circle', async () => {
  write('core/x.ts', "export * from './x.js'\n")
  expect((await check()).stderr).toBe(
    'These import each other in a circle: src/core/x.ts -> src/core/x.ts.\n',
  )
})

test('a permission that nobody uses is refused, unless one of the folders is not there', async () => {
  expect(await check([])).toEqual({
    exitCode: 1,
    stderr: [
      'Nothing in src/ssh imports src/core: scripts/check-imports.mjs allows it for nothing.\n',
      'Nothing in src/server imports src/core: scripts/check-imports.mjs allows it for nothing.\n',
    ].join(''),
  })
  write('ssh/errors.ts', "export * from '../core/errors.js'\n")
  write('server/errors.ts', "export * from '../core/errors.js'\n")
  expect(await check([])).toEqual({ exitCode: 0, stderr: '' })
})

describe('an engine', () => {
  beforeEach(() => {
    write('engines/slurm/slurm.ts', 'export const slurm = 1\n')
    write('engines/engines.ts', "export * from './slurm/slurm.js'\n")
    write('engines/slurm/open.ts', "export * from './slurm.js'\n")
    write('cli/slurm/doctor.ts', "export * from '../../engines/slurm/slurm.js'\n")
  })

  test('is known to the table of engines, to itself, and to its own command', async () => {
    expect(await check()).toEqual({ exitCode: 0, stderr: '' })
  })

  test.each([
    ['engines/list.ts', './slurm/slurm.js'],
    ['engines/podman/podman.ts', '../slurm/slurm.js'],
    ['cli/session/run.ts', '../../engines/slurm/slurm.js'],
  ])('is not known to %s', async (file, specifier) => {
    write(file, `export * from '${specifier}'\n`)
    expect(await check()).toEqual({
      exitCode: 1,
      stderr: `src/${file} imports ${specifier}: only engines/engines.ts, engines/slurm/ and cli/slurm/ may.\n`,
    })
  })
})

test('an import in a comment is none', async () => {
  write(
    'core/x.ts',
    "// import { b } from '../ssh/keys.js'\n/* import '../ssh/keys.js' */\nexport const x = 1\n",
  )
  expect(await check()).toEqual({ exitCode: 0, stderr: '' })
})

test('a long file is told, not failed', async () => {
  write('core/x.ts', 'export const x = [\n'.concat('  1,\n'.repeat(400), ']\n'))
  expect(await check()).toEqual({
    exitCode: 0,
    stderr: 'note: src/core/x.ts has 402 lines: is there a second subject in it?\n',
  })
})
