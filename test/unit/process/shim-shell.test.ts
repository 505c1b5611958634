import { chmodSync, closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readEnvironment } from '../../../src/job/environment.js'
import { chooseShell } from '../../../src/job/shell.js'
import { shellIn, shimShell } from '../../../src/process/shim-shell.js'

let shim: string

beforeEach(() => {
  shim = mkdtempSync(join(tmpdir(), 'shim-shell-'))
  mkdirSync(join(shim, 'bin'))
  writeFileSync(join(shim, 'shim.json'), '{}')
  writeFileSync(join(shim, 'bin/sh'), '', { mode: 0o755 })
})

afterEach(() => rmSync(shim, { recursive: true, force: true }))

test('a shim has a shell, where it can be run', () => {
  expect(shellIn(shim)).toBe(join(shim, 'bin/sh'))
  chmodSync(join(shim, 'bin/sh'), 0o644)
  expect(shellIn(shim)).toBeUndefined()
})

test('another directory has none, whatever is in it: an installation in /usr/local is no shim', () => {
  rmSync(join(shim, 'shim.json'))
  expect(shellIn(shim)).toBeUndefined()
  expect(shimShell()).toBeUndefined()
})

test('one that was walked in through a descriptor is named by this process, whose children have not got that', () => {
  const descriptor = openSync(shim, 'r')
  try {
    expect(shellIn(`/proc/self/fd/${descriptor}`)).toBe(`/proc/${process.pid}/fd/${descriptor}/bin/sh`)
  } finally {
    closeSync(descriptor)
  }
})

test('it is taken after all others, and where there is no other', async () => {
  const choice = {
    requested: [],
    jobShell: undefined,
    accountShell: undefined,
    path: '/bin',
    last: join(shim, 'bin/sh'),
  }
  expect((await chooseShell(choice)).shell).toMatch(/^\/bin\/(ba)?sh$/)
  const first = await chooseShell({ ...choice, requested: [join(shim, 'bin/sh')], last: undefined })
  expect(first.shell).toBe(join(shim, 'bin/sh'))
})

test("a launcher's variables are handed on byte for byte", () => {
  const given = Symbol.for('sshjob.environment')
  const bytes = Buffer.from('SSHJOB_TEST_LATIN=caf\xe9\0', 'latin1')
  process.env.SSHJOB_TEST_LATIN = 'caf\ufffd'
  Reflect.set(globalThis, given, bytes)
  try {
    expect(readEnvironment().get('SSHJOB_TEST_LATIN')).toEqual(Buffer.from('caf\xe9', 'latin1'))
  } finally {
    Reflect.deleteProperty(globalThis, given)
    delete process.env.SSHJOB_TEST_LATIN
  }
})
