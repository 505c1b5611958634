import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { SshjobError } from '../../../src/core/errors.js'
import { MSG, Reader, string, uint32 } from '../../../src/ssh/wire.js'
import { turnOfEventLoop, until } from '../../helpers/bytes.js'
import { testInside } from '../../helpers/inside.js'
import { closeSockets, echoSocket, serveSockets, unusedPort } from '../../helpers/loopback.js'
import { echo, memoryJob } from '../../helpers/memory-job.js'
import { isAbout } from '../../helpers/raw-peer.js'
import { type RawSession, rawSession } from '../../helpers/session-pair.js'
import { DIRECTORY, directoryMark, filler } from '../core/marks.js'
import { mutated } from '../core/mutations.js'
import { act, type Script, type Step, say } from '../core/script.js'
import type { OpenTarget, Target } from '../core/target.js'
import { bytes, flag, message, oneOf, u32 } from '../core/values.js'
import { globals, opens } from './messages.js'
import { bystander } from './ssh-server.js'

/** Stand in scripts for a port on which something listens, and for one on which nothing does. */
const PORT = uint32(61_001)
const CLOSED_PORT = uint32(61_002)
const LISTENING = [0, 1, 2, 3].map((n) => `l${n}`)
/** Of the channel whose program has to go on, at both ends. */
const PROGRAM = 4_711

const port = fc.constantFrom(PORT, PORT, CLOSED_PORT, uint32(0), uint32(65_535), uint32(65_536))
const listenAt = fc.constantFrom(...LISTENING).map((name) => string(`${DIRECTORY}${name}`))
const requestsOn = (name: string, ...data: readonly fc.Arbitrary<Buffer>[]): fc.Arbitrary<Buffer> =>
  message(MSG.CHANNEL_REQUEST, fc.nat(2).map(uint32), string(name), flag, ...data)

const asking = fc.oneof(
  { weight: 3, arbitrary: opens('direct-tcpip', oneOf('127.0.0.1'), port, oneOf('127.0.0.1'), u32) },
  opens('direct-streamlocal@openssh.com', oneOf(`${DIRECTORY}echo`, '/missing'), oneOf(''), u32),
  globals('tcpip-forward', oneOf('localhost', '127.0.0.1', ''), fc.constant(uint32(0))),
  globals('cancel-tcpip-forward', oneOf('localhost'), port),
  { weight: 2, arbitrary: globals('streamlocal-forward@openssh.com', listenAt) },
  globals('cancel-streamlocal-forward@openssh.com', listenAt),
  requestsOn('auth-agent-req@openssh.com'),
  requestsOn('x11-req', flag, oneOf('MIT-MAGIC-COOKIE-1'), oneOf('00ff'), u32),
)
/** For a channel that may have been opened meanwhile: neither the program's, nor one that is not there. */
const onOpen = fc
  .tuple(fc.nat(12), fc.constantFrom(MSG.CHANNEL_DATA, MSG.CHANNEL_EOF, MSG.CHANNEL_CLOSE), bytes(200))
  .map(([id, type, data]) =>
    say(
      Buffer.concat([
        Buffer.from([type]),
        uint32(id + 2),
        ...(type === MSG.CHANNEL_DATA ? [string(data)] : []),
      ]),
      'if-open',
    ),
  )
const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: asking.map((bytes) => say(bytes)) },
  { weight: 3, arbitrary: onOpen },
  { weight: 1, arbitrary: fc.nat(10).map((turns) => act('wait', turns)) },
)

/** The server's number of each channel that it has confirmed and we have not closed. */
function confirmed({ peer }: RawSession, closed: ReadonlySet<number>): Set<number> {
  const numbers = peer.messages
    .filter(([type]) => type === MSG.CHANNEL_OPEN_CONFIRMATION)
    .map((message) => message.readUInt32BE(5))
  return new Set(numbers.filter((id) => !closed.has(id)))
}

async function open(directory: string): Promise<OpenTarget> {
  const echoPath = join(directory, 'echo')
  const { port: openPort } = await serveSockets(echoSocket)
  await serveSockets(echoSocket, echoPath)
  const closedPort = await unusedPort()
  const other = await bystander()
  // The first directory for an agent begins a process that looks after all of them, and stays.
  await (await testInside().temporary()).remove()
  const [, padded] = directoryMark(directory)
  const fill = filler([directoryMark(directory), [PORT, uint32(openPort)], [CLOSED_PORT, uint32(closedPort)]])
  const inDirectory = (name: string): string => `${padded}${name}`
  const rules = {
    // Without them, a changed address would be looked up or connected to, and a changed path be listened on.
    permitOpen: [`127.0.0.1:${openPort}`, `127.0.0.1:${closedPort}`, inDirectory('echo'), '/missing'],
    permitListen: ['*:0', ...LISTENING.map(inDirectory)],
  }
  async function run(script: Script): Promise<string> {
    const session = await rawSession(memoryJob(echo), rules)
    const { peer } = session
    const program = await peer.open(PROGRAM)
    await peer.request(program, 'exec', string('cat'))
    await peer.open(2)
    const closed = new Set<number>()
    for (const { verb, bytes, count } of script) {
      if (peer.transport.closed) break
      if (verb === 'wait') for (let turn = 0; turn < Math.min(count, 50); turn++) await turnOfEventLoop()
      const id = bytes.length >= 5 ? bytes.readUInt32BE(1) : -1
      if (
        bytes.length === 0 ||
        (verb === 'if-open' && (id === program || !confirmed(session, closed).has(id)))
      )
        continue
      if (verb === 'if-open' && bytes[0] === MSG.CHANNEL_CLOSE) closed.add(id)
      peer.send(fill(bytes))
      await turnOfEventLoop()
    }
    const alive = !peer.transport.closed && (await answers(session, program))
    await session.close()
    assert.equal(session.served.channels, 0)
    await until(() => readdirSync(directory).length === 1)
    await other.check()
    return alive ? 'went on' : 'was ended'
  }
  async function close(): Promise<void> {
    await other.close()
    await closeSockets()
  }
  return { run, close }
}

/** Whether the program still writes back; not, where what was sent last was a breach of protocol. */
async function answers({ peer }: RawSession, program: number): Promise<boolean> {
  peer.send(Buffer.from([MSG.CHANNEL_DATA]), uint32(program), string('still here'))
  try {
    const answer = await peer.waitFor((m) => isAbout(m, MSG.CHANNEL_DATA, PROGRAM))
    assert.equal(new Reader(answer, 5).text(), 'still here')
    return true
  } catch (error) {
    if (error instanceof SshjobError) return false
    throw error
  }
}

export const FORWARDING_TARGETS: readonly Target[] = [
  {
    name: 'forwarding',
    scripts: mutated(fc.array(steps, { minLength: 5, maxLength: 30 })),
    outcomes: ['went on', 'was ended'],
    cases: 150,
    open,
  },
]
