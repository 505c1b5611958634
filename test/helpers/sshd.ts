import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generateKey } from '../../src/ssh/keys.js'
import { type ProgramResult, runProgram, SSHJOB_SERVER } from './programs.js'
import { temporaryDirectory } from './temporary-directory.js'

export interface SshdSuite {
  folder(): string
  /** Writes a configuration with a host key and a file of keys, and what stands in front of the one key. */
  configure(lines: readonly string[], keyOptions?: string): string
  /** ssh to a server of its own, with this configuration. */
  ssh(
    args: readonly string[],
    options?: { stdin?: string | Buffer; env?: NodeJS.ProcessEnv },
  ): Promise<ProgramResult>
  /** Arguments for ssh and its kin, up to the host. Of what goes wrong, ssh says errors only, unless `level` is more. */
  args(level?: string): string[]
  /** The public half of the key that ssh has. */
  publicKey: string
}

/** OpenSSH's client in front of our server in sshd's place. For the top of a `describe`. */
export function sshdSuite(): SshdSuite {
  const folder = temporaryDirectory()
  const [host, client] = [generateKey(), generateKey('client')]
  const file = (name: string, text?: string, mode = 0o600): string => {
    const path = join(folder(), name)
    if (text !== undefined) writeFileSync(path, text, { mode })
    return path
  }
  beforeAll(() => {
    mkdirSync(file('home'))
    file('host', host.privateKey)
    file('client', client.privateKey)
    file('known', `here ${host.publicKey}\n`)
  })
  const args = (level = 'ERROR'): string[] => [
    ...[
      '-F',
      'none',
      '-i',
      file('client'),
      '-o',
      'IdentitiesOnly=yes',
      '-o',
      'BatchMode=yes',
      '-o',
      `LogLevel=${level}`,
    ],
    ...[
      '-o',
      `UserKnownHostsFile=${file('known')}`,
      '-o',
      'StrictHostKeyChecking=yes',
      '-o',
      'HostKeyAlias=here',
    ],
    '-o',
    `ProxyCommand=${process.execPath} ${SSHJOB_SERVER} -i -E ${file('log')} -f ${file('config')}`,
  ]
  return {
    folder,
    args,
    publicKey: client.publicKey,
    configure(lines, keyOptions = '') {
      file('keys', `${keyOptions} ${client.publicKey}\n`)
      const preset = [`HostKey ${file('host')}`, `AuthorizedKeysFile ${file('keys')}`, 'StrictModes no']
      return file('config', [...preset, ...lines, ''].join('\n'))
    },
    ssh: (words, { stdin = '', env = {} } = {}) =>
      runProgram('ssh', [...args(), 'here', ...words], {
        stdin,
        env: { PATH: process.env.PATH, HOME: file('home'), SHELL: '/bin/sh', ...env },
      }),
  }
}
