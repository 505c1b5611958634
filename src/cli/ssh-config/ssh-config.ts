import { thisProgram } from '../../core/this-program.js'
import { ensureIdentities, type OpensshFiles, opensshFiles } from '../../engines/openssh.js'
import { generateEcdsaKey, generateKey } from '../../ssh/keys.js'
import { parseArguments, usage } from '../arguments/options.js'
import { printHelp } from '../manual/print-help.js'
import { expandProxyCommand } from '../session/open-session.js'
import { CONFIG_OPTIONS, DEFAULT_SUFFIX } from './options.js'
import { blockMarks } from './ssh-config-block.js'
import { installBlock, namesIgnoredIn, removeBlock, userConfigFile } from './ssh-config-file.js'
import { sshWarnsOfWeakKeyExchange } from './weak-key-exchange.js'

const PROGRAM = 'sshjob ssh-config'

/** `sshjob ssh-config [--install|--remove] [-F FILE] [--host-suffix SUFFIX] [--proxy-command CMD]` */
export async function runConfigCommand(args: readonly string[]): Promise<number> {
  const { given, operands } = parseArguments(args, CONFIG_OPTIONS, PROGRAM)
  const last = (wanted: keyof typeof CONFIG_OPTIONS) => given.findLast(({ name }) => name === wanted)
  if (last('help') !== undefined) return printHelp(import('../manual/ssh-config.js'))
  if (operands.length > 0) throw usage("'sshjob ssh-config' takes no arguments.", PROGRAM)
  const [install, remove] = [last('install') !== undefined, last('remove') !== undefined]
  if (install && remove) throw usage('--install and --remove exclude each other.', PROGRAM)
  const suffix = last('host-suffix')?.value ?? DEFAULT_SUFFIX
  checkSuffix(suffix)
  const named = last('file')?.value
  if (remove) {
    process.stdout.write(`${await removeBlock(named ?? userConfigFile(), suffix)}\n`)
    return 0
  }
  const proxyCommand = last('proxy-command')?.value
  // Wrong ones are better refused here than at the first ssh.
  if (proxyCommand !== undefined) expandProxyCommand(proxyCommand, 'job')
  const files = await opensshFiles()
  await ensureIdentities(files, { ed25519: generateKey, ecdsa: generateEcdsaKey })
  const parts = { suffix, files, proxyCommand, program: [process.execPath, thisProgram()] }
  const quiet = await sshWarnsOfWeakKeyExchange()
  if (install) {
    const target = named ?? userConfigFile()
    const ignored = quiet ? await namesIgnoredIn(target) : undefined
    process.stdout.write(`${await installBlock(target, suffix, formatConfig({ ...parts, ignored }))}\n`)
  } else {
    const ignored = quiet ? await namesIgnoredIn(named ?? userConfigFile()).catch(() => []) : undefined
    // On a line of its own, whatever the file ends with that it is appended to.
    process.stdout.write(`\n${formatConfig({ ...parts, ignored })}`)
  }
  return 0
}

export interface ConfigParts {
  suffix: string
  files: OpensshFiles
  /** What carries the connection; undefined: the jobs are on this machine. */
  proxyCommand?: string | undefined
  /** The words that start this program. */
  program: readonly string[]
  /**
   * Defined where ssh warns of key exchanges that a quantum computer could break: the names that IgnoreUnknown has in
   * the file already.
   */
  ignored?: readonly string[] | undefined
}

/**
 * The block for ssh_config(5), with the marks by which it is found again. All of its keywords are known to OpenSSH 8.0.
 * The pattern with an apostrophe keeps host names out that could leave the quotes around %h; clients before 9.6 take
 * any name. The last line ends the section: what stands below was for all hosts, and still is.
 * @throws SshjobError 'usage' for a path that such a file can't hold
 */
export function formatConfig({ suffix, files, proxyCommand, program, ignored }: ConfigParts): string {
  const proxy = [
    ...program,
    'proxy',
    ...['--keys', files.directory],
    ...(suffix === DEFAULT_SUFFIX ? [] : ['--host-suffix', suffix]),
    ...(proxyCommand === undefined ? [] : ['--proxy-command', proxyCommand]),
  ]
  const where = proxyCommand === undefined ? 'on this machine' : 'through a command'
  const { begin, end } = blockMarks(suffix)
  return `${begin}
# 'ssh JOB${suffix}' enters the job JOB of this user ${where}; so do scp, rsync and git. Written by
# 'sshjob ssh-config'. The first value counts in this file: what stands above, as in 'Host *', wins.
${ignored === undefined ? '' : ignoreUnknown(ignored)}Host *${suffix} "!*'*"
    ProxyCommand ${proxy.map(shellWord).join(' ')} '%h'
${files.identities.map((file) => `    IdentityFile ${quotePath(file)}\n`).join('')}    IdentitiesOnly yes
    PreferredAuthentications publickey
    UserKnownHostsFile ${quotePath(files.knownHosts)}
    StrictHostKeyChecking yes
    CheckHostIP no
    VerifyHostKeyDNS no
    UpdateHostKeys no
    AddKeysToAgent no
${ignored === undefined ? '' : '    WarnWeakCrypto no-pq-kex\n'}Host *
${end}
`
}

/**
 * For all hosts, because an older ssh that reads the same file would refuse it for all: keywords are checked in
 * sections that don't apply as well. Of several such lines ssh takes the first.
 */
function ignoreUnknown(names: readonly string[]): string {
  return `Host *\n    IgnoreUnknown ${[...new Set(['WarnWeakCrypto', ...names])].join(',')}\n`
}

/** @throws SshjobError 'usage' */
function checkSuffix(suffix: string): void {
  if (/^[.-][a-z0-9._-]*[a-z0-9]$/.test(suffix)) return
  throw usage(
    `A host suffix begins with . or - and has small letters, digits, . _ and -, not '${suffix}'.`,
    PROGRAM,
  )
}

/** A word for the shell that runs the ProxyCommand, where a percent sign begins a token. */
function shellWord(word: string): string {
  if (/[\r\n]/.test(word)) throw unfit(word)
  const plain = /^[\w@+=:,./-]+$/.test(word)
  return plain ? word : `'${word.replaceAll("'", "'\\''").replaceAll('%', '%%')}'`
}

/** Only where it has to be: not every library that reads such files knows quotes. */
function quotePath(path: string): string {
  if (/["\\%$\r\n]/.test(path)) throw unfit(path)
  return /^[\w@+=:,./-]+$/.test(path) ? path : `"${path}"`
}

function unfit(path: string): Error {
  return usage(`${JSON.stringify(path)} has characters that can't stand in ssh_config: use another folder.`)
}
