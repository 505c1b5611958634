import type { SshjobError } from '../core/errors.js'
import { ensureIdentity, type OpensshFiles, opensshFiles } from '../engines/openssh.js'
import { generateKey } from '../ssh/keys.js'
import { printHelp } from './manual/print-help.js'
import { expandProxyCommand } from './open-session.js'
import { type OptionTable, parseArguments, usage } from './options.js'
import { thisProgram } from './programs.js'
import { DEFAULT_SUFFIX } from './proxy.js'

export const CONFIG_OPTIONS = {
  'host-suffix': { value: 'SUFFIX', help: `what follows the name of the job (default: ${DEFAULT_SUFFIX})` },
  'proxy-command': { value: 'CMD', help: 'reach jobs through the input and output of CMD' },
  help: { short: 'h', help: 'print this' },
} satisfies OptionTable<string>

/** `sshjob ssh-config [--host-suffix SUFFIX] [--proxy-command CMD]` */
export async function runConfigCommand(args: readonly string[]): Promise<number> {
  const { given, operands } = parseArguments(args, CONFIG_OPTIONS, 'sshjob ssh-config')
  if (given.some(({ name }) => name === 'help')) return printHelp(import('./manual/ssh-config.js'))
  if (operands.length > 0) throw usage("'sshjob ssh-config' takes no arguments.")
  const last = (wanted: string): string | undefined => given.findLast(({ name }) => name === wanted)?.value
  const suffix = last('host-suffix') ?? DEFAULT_SUFFIX
  const proxyCommand = last('proxy-command')
  // Wrong ones are better refused here than at the first ssh.
  if (proxyCommand !== undefined) expandProxyCommand(proxyCommand, 'job')
  const files = await opensshFiles()
  await ensureIdentity(files, generateKey)
  process.stdout.write(
    formatConfig({ suffix, files, proxyCommand, program: [process.execPath, thisProgram()] }),
  )
  return 0
}

export interface ConfigParts {
  suffix: string
  files: OpensshFiles
  /** What carries the connection; undefined: the jobs are on this machine. */
  proxyCommand?: string | undefined
  /** The words that start this program. */
  program: readonly string[]
}

/**
 * The block for ssh_config(5). All of its keywords are known to OpenSSH 8.0. The pattern with an apostrophe keeps
 * host names out that could leave the quotes around %h; clients before 9.6 take any name.
 * @throws SshjobError 'usage' for a suffix or a path that such a file can't hold
 */
export function formatConfig({ suffix, files, proxyCommand, program }: ConfigParts): string {
  if (!/^[.-][a-z0-9._-]*[a-z0-9]$/.test(suffix)) {
    throw usage(`A host suffix begins with . or - and has small letters, digits, . _ and -, not '${suffix}'.`)
  }
  const proxy = [
    ...program,
    'proxy',
    ...(suffix === DEFAULT_SUFFIX ? [] : ['--host-suffix', suffix]),
    ...(proxyCommand === undefined ? [] : ['--proxy-command', proxyCommand]),
  ]
  const where = proxyCommand === undefined ? 'on this machine' : 'through a command'
  return `
# 'ssh JOB${suffix}' enters the job JOB of this user ${where}; so do scp, rsync and git. Written by
# 'sshjob ssh-config'. The first value counts in this file: what stands above, as in 'Host *', wins.
Host *${suffix} "!*'*"
    ProxyCommand ${proxy.map(shellWord).join(' ')} '%h'
    IdentityFile ${quotePath(files.identity)}
    IdentitiesOnly yes
    PreferredAuthentications publickey
    UserKnownHostsFile ${files.knownHosts.map(quotePath).join(' ')}
    StrictHostKeyChecking yes
    CheckHostIP no
    VerifyHostKeyDNS no
    UpdateHostKeys no
    AddKeysToAgent no
`
}

/** A word for the shell that runs the ProxyCommand, where a percent sign begins a token. */
function shellWord(word: string): string {
  if (/[\r\n]/.test(word)) throw unfit(word)
  const plain = /^[\w@+=:,./-]+$/.test(word)
  return plain ? word : `'${word.replaceAll("'", "'\\''").replaceAll('%', '%%')}'`
}

function quotePath(path: string): string {
  if (/["\\%$\r\n]/.test(path)) throw unfit(path)
  return `"${path}"`
}

function unfit(path: string): SshjobError {
  return usage(`${JSON.stringify(path)} has characters that can't stand in ssh_config: use another folder.`)
}
