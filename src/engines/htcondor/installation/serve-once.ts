import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import type { Duplex } from 'node:stream'
import { connect } from '../../../client/connect.js'
import type { ConnectOptions } from '../../../client/types.js'
import { HTCONDOR_TOOL_TIMEOUT_MS } from '../../../core/limits.js'
import { temporaryDirectory } from '../../../core/path-safety.js'
import { runHelper, startPiped } from '../../../process/helpers.js'
import { generateKey } from '../../../ssh/keys.js'
import { JoinedStream } from '../../../streams/joined.js'

const TIME_LIMIT = { timeout: HTCONDOR_TOOL_TIMEOUT_MS, killSignal: 'SIGKILL' } as const
/** A program that is launched like this keeps what V8 has compiled, whatever it does. */
const LAUNCH =
  'const [launcher] = process.argv.splice(1, 1); require(launcher).launch(process.argv[1], () => true)'

/**
 * Does what HTCondor does for a session: makes a key, and has the server serve a command and a terminal. Ends when both
 * programs have ended.
 * @param node the command that starts Node.js
 * @param programs the folder of the programs, in which they keep what V8 has compiled
 * @throws SshjobError why there was no session
 */
export async function serveOnce(node: readonly string[], programs: string): Promise<void> {
  const [file = '', ...words] = node
  const argumentsFor = (program: string): string[] => [
    ...words,
    '-e',
    LAUNCH,
    path.join(programs, 'launch.cjs'),
    path.join(programs, program),
  ]
  const options = { env: {}, ...TIME_LIMIT }
  const folder = fs.mkdtempSync(path.join(await temporaryDirectory(), 'sshjob-install-'))
  const config = path.join(folder, 'sshd_config')
  const hostKey = path.join(folder, 'host_key')
  const keys = path.join(folder, 'authorized_keys')
  const user = generateKey()
  try {
    const making = ['-q', '-N', '', '-t', 'ed25519', '-f', hostKey]
    runHelper(file, [...argumentsFor('sshjob-keygen.cjs'), ...making], { stdio: 'pipe', ...options })
    fs.writeFileSync(keys, user.publicKey)
    fs.writeFileSync(config, `HostKey ${hostKey}\nAuthorizedKeysFile ${keys}\nStrictModes no\n`)
    const serving = ['-i', '-f', config]
    const child = startPiped(file, [...argumentsFor('sshjob-server.cjs'), ...serving], {
      stdio: ['pipe', 'pipe', 'ignore'],
      ...options,
    })
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
