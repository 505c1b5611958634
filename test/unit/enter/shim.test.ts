import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { VERSION } from '../../../src/core/version.js'
import { findShim, type Shim, shimCommand, shimStatus } from '../../../src/enter/shim.js'
import { itAsRoot } from '../../helpers/needs.js'

const ARCH = 'x64'
let base: string

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'shim-'))
})

afterEach(() => rmSync(base, { recursive: true, force: true }))

function write(file: string, text: string): string {
  const path = join(base, file)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text, { mode: 0o644 })
  return path
}

/** An installation in this directory; gives a file of it. */
function installation(directory: string): string {
  write(`${directory}/package.json`, '{ "name": "sshjob" }')
  return write(`${directory}/dist/programs/sshjob.cjs`, '')
}

const DESCRIPTION = {
  format: 1,
  version: VERSION,
  platform: 'linux-x64',
  node: '24.22.3',
  loader: 'lib/ld-linux-x86-64.so.2',
}

function shimAt(directory: string, changes: object = {}): string {
  write(`${directory}/bin/node`, '')
  write(`${directory}/shim.json`, JSON.stringify({ ...DESCRIPTION, ...changes }))
  return join(base, directory)
}

function packageAt(modules: string, changes: object = {}): string {
  write(`${modules}/sshjob-shim-linux-x64/package.json`, '{}')
  return shimAt(`${modules}/sshjob-shim-linux-x64/shim`, changes)
}

const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  )

test("the platform's package beside ours is found, in an installation of any kind", async () => {
  const program = installation('prefix/lib/node_modules/sshjob')
  const directory = packageAt('prefix/lib/node_modules')
  expect(await findShim({ arch: ARCH, program })).toEqual({
    directory,
    version: VERSION,
    node: '24.22.3',
    loader: 'lib/ld-linux-x86-64.so.2',
  })
})

test('what a checkout has built is found, after a package', async () => {
  const program = installation('checkout')
  const built = shimAt('checkout/container-shim/dist/linux-x64')
  expect((await findShim({ arch: ARCH, program })).directory).toBe(built)
  const installed = packageAt('checkout/node_modules')
  expect((await findShim({ arch: ARCH, program })).directory).toBe(installed)
})

test('one that is given is taken, and no other where it is wrong', async () => {
  const program = installation('checkout')
  packageAt('checkout/node_modules')
  const given = shimAt('given')
  expect((await findShim({ arch: ARCH, program, given })).directory).toBe(given)
  const missing = join(base, 'missing')
  expect(await failure(findShim({ arch: ARCH, program, given: missing }))).toMatchObject({
    code: 'program-missing',
    message: `The container shim in ${missing} can't be read: no such file or directory (ENOENT): run \`npm install --global sshjob-shim-linux-x64@${VERSION}\`.`,
  })
})

test.each([
  [
    'prefix/lib/node_modules/sshjob',
    () => `npm install --global --prefix ${base}/prefix sshjob-shim-linux-x64@${VERSION}`,
  ],
  [
    'project/node_modules/sshjob',
    () => `npm install --prefix ${base}/project sshjob-shim-linux-x64@${VERSION}`,
  ],
])('without one, the error has the command that gets it: %s', async (directory, command) => {
  expect(await failure(findShim({ arch: ARCH, program: installation(directory) }))).toMatchObject({
    code: 'program-missing',
    message: `The container shim for linux-x64, with which containers are entered, is not installed: run \`${command()}\`.`,
  })
})

test('in a checkout, that is the build', async () => {
  const program = installation('checkout')
  write('checkout/container-shim/build.mjs', '')
  expect(await failure(findShim({ arch: 'mips', program }))).toMatchObject({
    message: `The container shim for linux-mips, with which containers are entered, is not installed: run \`npm run shim -- --arch mips\` in ${base}/checkout.`,
  })
})

test.each<[string, object, string]>([
  ['another version', { version: '9.9.9' }, `is of sshjob 9.9.9, and this is ${VERSION}`],
  ['another architecture', { platform: 'linux-arm64' }, 'is for linux-arm64, and this is linux-x64'],
  ['another format', { format: 2 }, 'has no shim.json that this version understands'],
  ['a loader elsewhere', { loader: '../ld-linux.so' }, 'has no shim.json that this version understands'],
])('%s is refused', async (_, changes, reason) => {
  const program = installation('p/node_modules/sshjob')
  const directory = packageAt('p/node_modules', changes)
  expect(await failure(findShim({ arch: ARCH, program }))).toMatchObject({
    code: 'program-missing',
    message: `The container shim in ${directory} ${reason}: run \`npm install --prefix ${base}/p sshjob-shim-linux-x64@${VERSION}\`.`,
  })
})

test.each<[string, (directory: string) => void, (directory: string) => string]>([
  [
    'itself',
    (directory) => chmodSync(directory, 0o777),
    (directory) => `others may write to ${directory} (mode 777)`,
  ],
  [
    'what is above it',
    (directory) => chmodSync(dirname(directory), 0o777),
    (directory) => `others may write to ${dirname(directory)} (mode 777)`,
  ],
  [
    'a file in it',
    (directory) => chmodSync(join(directory, 'bin/node'), 0o775),
    (directory) => `others may write to ${directory}/bin/node (mode 775)`,
  ],
  [
    'what a link in it leads to',
    (directory) => symlinkSync('/tmp', join(directory, 'lib')),
    (directory) => `${directory}/lib is a symbolic link`,
  ],
])('where others may have changed %s, it is refused', async (_, change, reason) => {
  const program = installation('p/node_modules/sshjob')
  const directory = packageAt('p/node_modules')
  change(directory)
  expect(await failure(findShim({ arch: ARCH, program }))).toMatchObject({
    code: 'unsafe-directory',
    message: `The container shim in ${directory} is not used, since somebody else may have changed it: ${reason(directory)}. Mend that, or install it anew where nobody else may write.`,
  })
})

itAsRoot("another user's file in it is refused", async () => {
  const program = installation('p/node_modules/sshjob')
  const directory = packageAt('p/node_modules')
  chownSync(join(directory, 'bin/node'), 1234, 1234)
  expect(await failure(findShim({ arch: ARCH, program }))).toMatchObject({
    code: 'unsafe-directory',
    message: `The container shim in ${directory} is not used, since somebody else may have changed it: ${directory}/bin/node belongs to user 1234. Mend that, or install it anew where nobody else may write.`,
  })
})

test('the environment has no say', async () => {
  const program = installation('p/node_modules/sshjob')
  process.env.SSHJOB_SHIM = shimAt('given')
  try {
    expect(await failure(findShim({ arch: ARCH, program }))).toMatchObject({ code: 'program-missing' })
  } finally {
    delete process.env.SSHJOB_SHIM
  }
})

const shim = (directory: string, node: string): Shim => ({
  directory,
  version: VERSION,
  node,
  loader: 'lib/ld-linux-x86-64.so.2',
})

test('a program is run by path, or through descriptors', () => {
  expect(shimCommand(shim('/opt/s', '24.22.3'), 'sshjob-server.cjs')).toEqual([
    ...['/opt/s/lib/ld-linux-x86-64.so.2', '--library-path', '/opt/s/lib', '/opt/s/bin/node'],
    ...['--preserve-symlinks', '--preserve-symlinks-main', '--openssl-config=/opt/s/lib/openssl.cnf'],
    '/opt/s/sshjob-server.cjs',
  ])
  const place = { loader: '/proc/self/fd/3', directory: '/proc/self/fd/4' }
  expect(shimCommand(shim('/opt/s', '24.22.3'), 'worker.cjs', place)).toEqual([
    ...['/proc/self/fd/3', '--library-path', '/proc/self/fd/4/lib', '/proc/self/fd/4/bin/node'],
    ...[
      '--preserve-symlinks',
      '--preserve-symlinks-main',
      '--openssl-config=/proc/self/fd/4/lib/openssl.cnf',
    ],
    '/proc/self/fd/4/worker.cjs',
  ])
})

test('its age is told where it matters', () => {
  const now = new Date('2026-11-28')
  const [old, current, newest] = [shim('/a', '20.19.0'), shim('/b', '24.9.1'), shim('/c', '24.22.3')]
  expect(shimStatus(newest, now, [current])).toEqual([])
  expect(shimStatus(current, now, [old, newest])).toEqual([
    'The container shim in /b has Node.js 24.9.1, which is older than the 24.22.3 in /c.',
  ])
  expect(shimStatus(old, now, [newest, current])).toEqual([
    'The container shim in /a has Node.js 20.19.0, which has got no security fixes since 2026-04-30: install a newer sshjob with its shim.',
    'The container shim in /a has Node.js 20.19.0, which is older than the 24.22.3 in /c.',
  ])
})
