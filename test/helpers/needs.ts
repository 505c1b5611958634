import { spawnSync } from 'node:child_process'
import { accessSync, appendFileSync, closeSync, constants, existsSync, openSync, statSync } from 'node:fs'
import { userInfo } from 'node:os'
import { delimiter, isAbsolute, join } from 'node:path'

/** Where Debian keeps daemons, which a user's PATH may leave out. */
const DAEMON_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin']

/** The absolute path of a program, or undefined. */
export function findProgram(name: string): string | undefined {
  if (isAbsolute(name)) return isExecutable(name) ? name : undefined
  const folders = [...(process.env.PATH ?? '').split(delimiter).filter(Boolean), ...DAEMON_FOLDERS]
  return folders.map((folder) => join(folder, name)).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/** A Python that has this module: the system's comes first, since Debian's packages install for that one only. */
export function findPythonWith(module: string): string | undefined {
  return ['/usr/bin/python3', findProgram('python3')].find(
    (python) =>
      python !== undefined && spawnSync(python, ['-c', `import ${module}`], { stdio: 'ignore' }).status === 0,
  )
}

/** How to find out whether something is there that is no program. */
const PARTS: Readonly<Record<string, (name: string) => boolean>> = {
  python3: (name) => findPythonWith(name) !== undefined,
  library: (name) => succeeds('pkg-config', '--exists', name),
  ruby: (name) => succeeds('ruby', '-e', `require '${name}'`),
  perl: (name) => succeeds('perl', '-e', `require ${name}`),
  erlang: (name) => succeeds('erl', '-noshell', '-eval', `ok = application:load(${name}), halt().`),
  file: existsSync,
}

const succeeds = (program: string, ...args: string[]): boolean =>
  spawnSync(program, args, { stdio: 'ignore' }).status === 0

/**
 * A program is named as in a shell, anything else behind what it is part of: 'python3:asyncssh', 'perl:Net::SSH2',
 * 'library:libssh' to compile with, 'file:/usr/share/java/jsch.jar'.
 */
function isMissing(need: string): boolean {
  const [, kind = '', name = ''] = /^(\w+):(.+)$/.exec(need) ?? []
  const isThere = PARTS[kind]
  return isThere === undefined ? findProgram(need) === undefined : !isThere(name)
}

/** Named 'device:/dev/fuse'. A container may have its file, and may not open it. */
function isClosed(device: string): boolean {
  try {
    closeSync(openSync(device, 'r+'))
    return false
  } catch {
    return true
  }
}

type Need = 'program' | 'root' | 'account' | 'device'
type Body = () => void

const DEVICE = 'device:'

/** They look themselves up in passwd(5) before anything else, and end where they don't find themselves. */
const NEED_AN_ACCOUNT = [
  'ssh',
  'ssh-keygen',
  'scp',
  'sftp',
  '/usr/lib/openssh/sftp-server',
  'dbclient',
  'python3:asyncssh',
  'borg',
  'ansible',
]

function hasAccount(): boolean {
  try {
    return userInfo().username !== ''
  } catch {
    return false
  }
}

/**
 * What to do without. Unset: skip, and say so. '1': nothing may be skipped, a missing program or privilege is a
 * failure. 'programs': only a missing program is one (the run as a plain user, after one as root).
 */
function mustHave(what: Need): boolean {
  const setting = process.env.SSHJOB_TEST_REQUIRE_ALL
  return setting === '1' || (setting === 'programs' && what === 'program')
}

/** The runner of the tests collects the reasons in a file, and prints them at the end. */
function reportSkip(title: string, reason: string): void {
  const file = process.env.SSHJOB_TEST_SKIPS
  if (file === undefined) process.stderr.write(`skipped: ${title}: ${reason}\n`)
  else appendFileSync(file, `${reason}\t${title}\n`)
}

type Test = () => Promise<void>

function describeIf(reason: string | undefined, what: Need, title: string, body: Body): void {
  if (reason === undefined) {
    describe(title, body)
  } else if (mustHave(what)) {
    describe(title, () => {
      it('has what it needs', () => {
        throw new Error(reason)
      })
    })
  } else {
    reportSkip(title, reason)
    describe.skip(title, body)
  }
}

const missingPrograms = (needs: readonly string[]): string | undefined => {
  const missing = needs.filter(isMissing)
  return missing.length === 0 ? undefined : `not installed: ${missing.join(', ')}`
}

const missingRoot = (): string | undefined =>
  process.geteuid?.() === 0 ? undefined : 'root is needed: run the tests with sudo to include it'

/** A suite that needs programs ('tmux', 'ssh'), Python modules ('python3:paramiko'), or the like. */
export function describeWith(needs: readonly string[], title: string, body: Body): void {
  const programs = needs.filter((need) => !need.startsWith(DEVICE))
  const device = needs.find((need) => need.startsWith(DEVICE))?.slice(DEVICE.length)
  const missing = missingPrograms(programs)
  if (missing === undefined && device !== undefined && isClosed(device)) {
    describeIf(`${device} can't be opened`, 'device', title, body)
  } else if (missing === undefined && !hasAccount()) {
    const refusing = programs.find((program) => NEED_AN_ACCOUNT.includes(program))
    const reason = refusing && `${refusing} needs a user who has an account`
    describeIf(reason, 'account', title, body)
  } else describeIf(missing, 'program', title, body)
}

/** In a container, root may well not: mount(2), CAP_SYS_ADMIN. */
const missingMounts = (): string | undefined =>
  spawnSync('unshare', ['-m', 'true'], { stdio: 'ignore' }).status === 0
    ? undefined
    : 'root may not mount here'

/** A suite that mounts file systems, in a namespace of its own. */
export function describeWithMounts(title: string, body: Body): void {
  describeIf(missingRoot() ?? missingMounts(), 'root', title, body)
}

/** A suite that mounts a file system of FUSE, in a namespace of its own. */
export function describeWithFuse(title: string, body: Body): void {
  const reason = missingRoot() ?? missingMounts()
  if (reason !== undefined) describeIf(reason, 'root', title, body)
  else describeIf(isClosed('/dev/fuse') ? "/dev/fuse can't be opened" : undefined, 'device', title, body)
}

/** A suite that needs root. */
export function describeAsRoot(title: string, body: Body): void {
  describeIf(missingRoot(), 'root', title, body)
}

/** One test that needs root, in a suite that doesn't. */
export function itAsRoot(title: string, test: Test, timeout?: number): void {
  const reason = missingRoot()
  if (reason === undefined) it(title, test, timeout)
  else if (mustHave('root')) it(title, () => Promise.reject(new Error(reason)))
  else {
    reportSkip(title, reason)
    it.skip(title, test, timeout)
  }
}

/** One test about what a plain user may not: the run after that of root has it. */
export function itAsUser(title: string, test: Test): void {
  if (process.geteuid?.() !== 0) return it(title, test)
  reportSkip(title, 'root may do it: run the tests as a plain user to include it')
  it.skip(title, test)
}
