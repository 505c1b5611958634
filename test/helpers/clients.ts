import { spawnSync } from 'node:child_process'
import { describeWith, findProgram, findPythonWith } from './needs.js'

/** A program that is tried against our server, and how it says its version. */
export interface Client {
  /** As docs/clients.md has it, in Markdown. */
  readonly name: string
  /** What its tests need, as describeWith takes it. */
  readonly needs: readonly string[]
  /** A command that says the version. A Python module, 'python3:…', says its own. */
  readonly version: readonly [program: string, ...args: string[]]
  /** Where the version is in that; default: the first number with a point in it. */
  readonly pattern?: RegExp
}

const NUMBER = /(\d+\.\d[\w.]*)/

function readVersion({ version: [program, ...args], pattern = NUMBER }: Client): string {
  const module = /^python3:(.+)$/.exec(program)?.[1]
  const [file, argv] =
    module === undefined
      ? [findProgram(program), args]
      : [findPythonWith(module), ['-W', 'ignore', '-c', `import ${module}; print(${module}.__version__)`]]
  if (file === undefined) return 'not installed'
  const { stdout, stderr } = spawnSync(file, argv, { encoding: 'utf8' })
  return pattern.exec(stdout + stderr)?.[1] ?? 'unknown'
}

/**
 * A suite whose tests are a row of the table in docs/clients.md, written by scripts/clients-table.mjs: client, version,
 * and the titles of the tests as what was tried. So all of a row is in the results of a run.
 */
export function describeClient(client: Client, about: string, body: () => void): void {
  describeWith(client.needs, `client: ${client.name} | ${readVersion(client)} | ${about}`, body)
}

const openssh = (program: string, ...more: string[]): Client => ({
  name: `OpenSSH \`${program}\``,
  needs: [program, ...more],
  version: ['ssh', '-V'],
})

/** The same client, for a suite that needs more beside it. */
export function also(client: Client, ...more: string[]): Client {
  return { ...client, needs: [...client.needs, ...more] }
}

export const SSH = openssh('ssh')
export const SCP = openssh('scp', 'ssh')
export const SFTP = openssh('sftp', 'ssh')

const putty = (program: string): Client => ({
  name: `PuTTY \`${program}\``,
  needs: [program, 'puttygen'],
  version: [program, '-V'],
})

export const PLINK = putty('plink')
export const PSCP = putty('pscp')
export const PSFTP = putty('psftp')

const overSsh = (program: string, ...more: string[]): Client => ({
  name: `\`${program}\` over ssh`,
  needs: [program, 'ssh', ...more],
  version: [program, '--version'],
})

export const RSYNC = overSsh('rsync')
export const GIT = overSsh('git')
export const LFTP = overSsh('lftp')
export const ANSIBLE = overSsh('ansible', 'ansible-playbook')
export const VIM: Client = { ...overSsh('vim', 'scp'), name: 'Vim, by netrw' }
export const EMACS: Client = { ...overSsh('emacs', 'scp'), name: 'Emacs, by TRAMP' }
export const SSHFS: Client = {
  ...overSsh('sshfs', 'fusermount3', 'device:/dev/fuse', 'gcc', 'make', 'git'),
  pattern: /SSHFS version (\d[\w.]*)/,
}

export const DBCLIENT: Client = {
  name: 'dropbear `dbclient`',
  needs: ['dbclient', 'dropbearconvert'],
  version: ['dbclient', '-V'],
}
export const CURL: Client = {
  name: 'libssh2, by `curl`',
  needs: ['curl'],
  version: ['curl', '-V'],
  pattern: /libssh2\/(\d[\w.]*)/,
}
export const LIBSSH: Client = {
  name: 'libssh, by a program in C',
  needs: ['gcc', 'pkg-config', 'library:libssh'],
  version: ['pkg-config', '--modversion', 'libssh'],
}

const python = (module: string): Client => ({
  name: module,
  needs: [`python3:${module}`],
  version: [`python3:${module}`],
})

export const PARAMIKO = python('paramiko')
export const ASYNCSSH = python('asyncssh')
