import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Duplex } from 'node:stream'
import { connect } from '../../client/connect.js'
import type { ConnectOptions } from '../../client/types.js'
import { HTCONDOR_TOOL_TIMEOUT_MS } from '../../core/limits.js'
import { generateKey } from '../../ssh/keys.js'
import { JoinedStream } from '../../streams/joined.js'

/**
 * Does what HTCondor does for a session: makes a key, and has the server serve a command and a terminal. Ends when both
 * programs have ended.
 * @param server the command that starts it
 * @param keygen the command that makes keys
 * @throws SshjobError why there was no session
 */
export async function serveOnce(server: readonly string[], keygen: readonly string[]): Promise<void> {
  const folder = fs.mkdtempSync(path.join(tmpdir(), 'sshjob-install-'))
  const config = path.join(folder, 'sshd_config')
  const hostKey = path.join(folder, 'host_key')
  const keys = path.join(folder, 'authorized_keys')
  const user = generateKey()
  try {
    run(keygen, ['-q', '-N', '', '-t', 'ed25519', '-f', hostKey])
    fs.writeFileSync(keys, user.publicKey)
    fs.writeFileSync(config, `HostKey ${hostKey}\nAuthorizedKeysFile ${keys}\nStrictModes no\n`)
    const [program = '', ...args] = [...server, '-i', '-f', config]
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'ignore'], ...TIME_LIMIT })
    await Promise.all([
      once(child, 'exit'),
      useOnce(new JoinedStream(child.stdout, child.stdin), {
        privateKey: user.privateKey,
        hostKey: fs.readFileSync(`${hostKey}.pub`, 'utf8'),
      }),
    ])
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

const TIME_LIMIT = { timeout: HTCONDOR_TOOL_TIMEOUT_MS, killSignal: 'SIGKILL' } as const

function run([program = '', ...words]: readonly string[], args: readonly string[]): void {
  execFileSync(program, [...words, ...args], { stdio: 'pipe', ...TIME_LIMIT })
}

async function useOnce(
  stream: Duplex,
  credentials: NonNullable<ConnectOptions['credentials']>,
): Promise<void> {
  const connection = await connect(stream, { credentials })
  for (const pty of [false, true]) {
    const command = await connection.exec('true', { pty, stdin: null })
    await command.output()
  }
  await connection.close()
}
