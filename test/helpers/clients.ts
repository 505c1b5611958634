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

/** A library, of the version that Debian's package has. */
const debian = (name: string, distribution: string, ...needs: string[]): Client => ({
  name,
  needs,
  version: ['dpkg-query', '-W', distribution],
  pattern: /\t(?:\d+:)?(\d[\d.]*)/,
})

const GO_SOURCES = '/usr/share/gocode/src'
export const GO = debian(
  'Go: `x/crypto/ssh` and `pkg/sftp`',
  'golang-golang-x-crypto-dev',
  'go',
  `file:${GO_SOURCES}/golang.org/x/crypto/ssh`,
  `file:${GO_SOURCES}/github.com/pkg/sftp`,
)
export const NET_SSH = debian(
  'Ruby: `net-ssh`, `net-sftp`, `net-scp`',
  'ruby-net-ssh',
  'ruby',
  ...['net/ssh', 'net/sftp', 'net/scp', 'ed25519', 'bcrypt_pbkdf'].map((name) => `ruby:${name}`),
)
export const NET_SSH2 = debian('Perl: `Net::SSH2`', 'libnet-ssh2-perl', 'perl', 'perl:Net::SSH2')
export const ERLANG = debian('Erlang: `ssh`', 'erlang-ssh', 'escript', 'erlang:ssh')
export const CONCH = debian('Twisted: `conch` and `cftp`', 'python3-twisted', 'conch3', 'cftp3')
export const PHPSECLIB = debian(
  'PHP: phpseclib 2',
  'php-phpseclib',
  'php',
  'file:/usr/share/php/phpseclib/autoload.php',
)
export const JSCH_JAR = '/usr/share/java/jsch.jar'
export const JSCH = debian('Java: JSch 0.1', 'libjsch-java', 'javac', 'java', `file:${JSCH_JAR}`)

export const RESTIC: Client = { ...overSsh('restic'), version: ['restic', 'version'] }
export const BORG = overSsh('borg')
/** Debian's, whatever else is in PATH. */
export const DOCKER: Client = { ...overSsh('/usr/bin/docker'), name: '`docker` over ssh' }
export const RCLONE: Client = { name: '`rclone`', needs: ['rclone'], version: ['rclone', 'version'] }
export const MOSH: Client = {
  name: '`mosh-server` and `mosh-client`',
  needs: ['mosh-server', 'mosh-client', 'tmux', 'ssh'],
  version: ['mosh-server', '--version'],
  pattern: /mosh (\d[\w.]*)/,
}
