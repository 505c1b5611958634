import assert from 'node:assert/strict'
import fc from 'fast-check'
import { SshjobError } from '../../../src/core/errors.js'
import { HOSTBOUND } from '../../../src/ssh/hostbound.js'
import { string } from '../../../src/ssh/wire.js'
import { serve } from '../../../src/starter/serve.js'
import { turnOfEventLoop } from '../../helpers/bytes.js'
import { echo, memoryJob } from '../../helpers/memory-job.js'
import { rawPeer } from '../../helpers/raw-peer.js'
import { sessionPair } from '../../helpers/session-pair.js'
import type { Script } from '../core/script.js'
import type { OpenTarget, Target } from '../core/target.js'
import { bytes, fields, flag, invented, message, oneOf } from '../core/values.js'
import { memoryWire, socketWires } from '../core/wire.js'
import { play, STEPS_PER_TURN } from './adversary.js'
import { CLIENT_POINT, freshKeys, HOST_POINT } from './keys.js'
import { conversations, names, onChannels, opens, sessionRequests } from './messages.js'
import { program } from './programs.js'

/** A client that has been let in, and goes on beside what the adversary does: it has to notice nothing. */
export async function bystander(): Promise<{ check(): Promise<void>; close(): Promise<void> }> {
  const pair = await sessionPair({ job: memoryJob(echo) })
  return {
    async check() {
      const remote = await pair.client.exec('cat', { stdin: 'alive' })
      assert.equal((await remote.output()).stdout.toString(), 'alive')
    },
    close: () => pair.close(),
  }
}

const SMALL_WINDOW = 100_000
const ENDS = ['protocol-error', 'connection-lost', 'connection-closed', 'authentication-failed']

async function openServer(directory: string, authenticate: boolean): Promise<OpenTarget> {
  const keys = freshKeys()
  const sockets = await socketWires(directory)
  const other = await bystander()
  async function run(script: Script): Promise<string> {
    const wire = script[0]?.verb === 'sockets' ? await sockets.open() : memoryWire()
    const job = memoryJob(program)
    const served = serve(wire.ours, job, { credentials: keys.server, forwarding: 'none' })
    const peer = await rawPeer(wire.theirs, { ...keys.client, authenticate })
    if (authenticate) {
      await peer.request(await peer.open(0), 'exec', string('cat'))
      await peer.request(await peer.open(1, SMALL_WINDOW), 'exec', string('both'))
    }
    for (const [index, step] of script.entries()) {
      if (peer.transport.closed || !wire.theirs.writable) break
      await play(step, wire, peer.transport, keys.fill)
      if (index % STEPS_PER_TURN === 0) await turnOfEventLoop()
    }
    for (let turn = 0; turn < STEPS_PER_TURN; turn++) await turnOfEventLoop()
    if (!authenticate) assert.equal(served.authenticated, false)
    wire.destroy()
    const cause = await served.closed
    await peer.closed
    assert.ok(cause instanceof SshjobError && ENDS.includes(cause.code), String(cause))
    assert.equal(served.channels, 0)
    assert.deepEqual(
      job.processes.filter(({ terminated, stdin }) => !terminated && !stdin.destroyed),
      [],
    )
    await other.check()
    return cause.code
  }
  async function close(): Promise<void> {
    await other.close()
    await sockets.close()
  }
  return { run, close }
}

const blob = (point: Buffer): Buffer => Buffer.concat([string('ssh-ed25519'), string(point)])
const someKey = fc.oneof(
  fc.constantFrom(blob(CLIENT_POINT), blob(CLIENT_POINT), blob(HOST_POINT)).map(string),
  bytes(60).map(string),
)
const algorithm = oneOf('ssh-ed25519', 'rsa-sha2-256', 'rsa-sha2-512', 'ssh-rsa', 'ecdsa-sha2-nistp256')
const signature = fields(algorithm, bytes(64).map(string)).map(string)
const user = oneOf('user', 'user', 'user', 'root')
const service = oneOf('ssh-connection', 'ssh-connection', 'ssh-connection', 'ssh-userauth')

/** Of somebody who has not the key: whatever is said, nobody may be let in. */
const authentication = fc.oneof(
  message(5, oneOf('ssh-userauth', 'ssh-userauth', 'ssh-connection')),
  message(50, user, service, string('none')),
  message(50, user, service, string('password'), flag, bytes(20).map(string)),
  message(50, user, service, string('publickey'), flag, algorithm, someKey),
  message(50, user, service, string('publickey'), flag, algorithm, someKey, signature),
  message(50, user, service, string(HOSTBOUND), flag, algorithm, someKey, someKey, signature),
  message(
    50,
    user,
    service,
    string('hostbased'),
    algorithm,
    someKey,
    oneOf('host'),
    oneOf('user'),
    signature,
  ),
  message(50, user, service, string('keyboard-interactive'), string(''), bytes(20).map(string)),
  message(50, user, service, names, bytes(100)),
  invented,
)

const otherOpens = fc.oneof(
  opens('direct-tcpip', oneOf('127.0.0.1'), bytes(12)),
  opens('x11', bytes(12)),
  opens('nonsense'),
)

export const SERVER_TARGETS: readonly Target[] = [
  {
    name: 'ssh-channels',
    scripts: conversations(
      fc.oneof(
        { weight: 3, arbitrary: sessionRequests },
        { weight: 3, arbitrary: onChannels },
        { weight: 1, arbitrary: opens('session') },
        { weight: 1, arbitrary: otherOpens },
      ),
      { most: 40 },
    ),
    outcomes: ['protocol-error', 'connection-lost', 'connection-closed'],
    open: (directory) => openServer(directory, true),
  },
  {
    name: 'ssh-authentication',
    scripts: conversations(authentication, { most: 15 }),
    outcomes: ['protocol-error', 'connection-lost', 'connection-closed', 'authentication-failed'],
    open: (directory) => openServer(directory, false),
  },
]
