import assert from 'node:assert/strict'
import { join } from 'node:path'
import fc from 'fast-check'
import { connect } from '../../../src/client/connect.js'
import type { JobConnection, RemoteProcess } from '../../../src/client/types.js'
import { SshjobError } from '../../../src/core/errors.js'
import { X11_FIRST_PORT } from '../../../src/core/limits.js'
import { boolean, MSG, string, uint32 } from '../../../src/ssh/wire.js'
import { turnOfEventLoop } from '../../helpers/bytes.js'
import { closeSockets, echoSocket, serveSockets } from '../../helpers/loopback.js'
import { rawServer } from '../../helpers/raw-server.js'
import { act, type Script } from '../core/script.js'
import type { OpenTarget, Target } from '../core/target.js'
import { bytes, invented, message, oneOf, u32 } from '../core/values.js'
import { memoryWire, socketWires } from '../core/wire.js'
import { play, STEPS_PER_TURN } from './adversary.js'
import { serveDisplay } from './display.js'
import { freshKeys } from './keys.js'
import { channel, conversations, globals, onChannels, opens, requests } from './messages.js'

const LISTEN_PORT = 4_711
const LISTEN_PATH = '/listening'

/** What our client does; the places of a job are under these verbs of a script. */
const DEEDS: Readonly<
  Record<string, (client: JobConnection, socket: string, display: string) => Promise<unknown>>
> = {
  exec: async (client) => useProcess(await client.exec('x', { env: { A: 'b' }, stdin: 'input' })),
  terminal: async (client) => useProcess(await client.exec('x', { pty: true })),
  agent: async (client, agent) => useProcess(await client.exec('x', { agent })),
  x11: async (client, _socket, display) =>
    useProcess(await client.exec('x', { x11: { display, authorityFile: '/dev/null' } })),
  shell: async (client) => useProcess(await client.shell()),
  ping: (client) => client.ping(),
  tcp: async (client) => useStream(await client.openTcp('localhost', 80)),
  unix: async (client) => useStream(await client.openUnix('/socket')),
  stat: (client) => client.files.stat('file'),
  'listen-tcp': (client, path) => client.forwardRemote({ port: LISTEN_PORT }, { path }),
  'listen-unix': (client, path) => client.forwardRemote({ path: LISTEN_PATH }, { path }),
}

async function useProcess(remote: RemoteProcess): Promise<void> {
  remote.stdin.on('error', () => undefined)
  remote.resize({ columns: 80, rows: 25 })
  remote.sendSignal('TERM')
  const all = await Promise.allSettled([remote.ended, remote.output(), remote.sendBreak()])
  for (const one of all) if (one.status === 'rejected') throw one.reason
}

async function useStream(stream: Awaited<ReturnType<JobConnection['openTcp']>>): Promise<void> {
  stream.on('error', () => undefined)
  stream.end('hello')
  stream.resume()
  await new Promise((resolve) => stream.once('close', resolve))
}

async function open(directory: string): Promise<OpenTarget> {
  const keys = freshKeys()
  const sockets = await socketWires(directory)
  const echo = join(directory, 'echo')
  await serveSockets(echoSocket, echo)
  const display = `127.0.0.1:${(await serveDisplay()).port - X11_FIRST_PORT}`
  async function run(script: Script): Promise<string> {
    const wire = script[0]?.verb === 'sockets' ? await sockets.open() : memoryWire()
    const alone = script.some(({ verb }) => verb === 'alone')
    const server = rawServer(wire.theirs, { ...keys.server, authenticate: !alone })
    const connecting = connect(wire.ours, { credentials: keys.client })
    const connected = connecting.then(
      () => true,
      () => false,
    )
    const deeds: Promise<unknown>[] = [connecting]
    connecting.catch(() => undefined)
    if (!alone) await connected
    for (const [index, step] of script.entries()) {
      if (server.transport.closed || !wire.theirs.writable) break
      const deed = DEEDS[step.verb]
      if (deed !== undefined) {
        const done = connecting.then((client) => deed(client, echo, display))
        done.catch(() => undefined)
        deeds.push(done)
        await turnOfEventLoop()
      } else if (step.verb !== 'alone') await play(step, wire, server.transport, keys.fill)
      if (index % STEPS_PER_TURN === 0) await turnOfEventLoop()
    }
    for (let turn = 0; turn < STEPS_PER_TURN; turn++) await turnOfEventLoop()
    wire.destroy()
    await server.closed
    const results = await Promise.allSettled(deeds)
    for (const result of results) {
      if (result.status === 'rejected') assert.ok(result.reason instanceof SshjobError, String(result.reason))
    }
    if (await connected) await (await connecting).closed
    const done = results.slice(1).filter(({ status }) => status === 'fulfilled').length
    return (await connected) ? (done > 0 ? 'did something' : 'did nothing') : 'not connected'
  }
  async function close(): Promise<void> {
    await sockets.close()
    await closeSockets()
  }
  return { run, close }
}

const address = oneOf('localhost')
/** What a server says to a client that has asked for something. */
const answers = fc.oneof(
  { weight: 4, arbitrary: message(MSG.CHANNEL_OPEN_CONFIRMATION, channel, channel, u32, u32) },
  {
    weight: 3,
    arbitrary: message(MSG.CHANNEL_OPEN_CONFIRMATION, channel, channel, uint32(2 ** 21), uint32(32_768)),
  },
  { weight: 3, arbitrary: message(MSG.CHANNEL_SUCCESS, channel) },
  {
    weight: 2,
    arbitrary: message(MSG.REQUEST_SUCCESS, fc.constantFrom(Buffer.alloc(0), uint32(LISTEN_PORT))),
  },
  { weight: 1, arbitrary: requests('exit-status', u32) },
  {
    weight: 1,
    arbitrary: requests('exit-signal', oneOf('TERM'), boolean(false), bytes(20).map(string), string('')),
  },
  { weight: 1, arbitrary: requests('keepalive@openssh.com') },
  { weight: 1, arbitrary: globals('hostkeys-00@openssh.com', bytes(60).map(string)) },
  { weight: 1, arbitrary: globals('keepalive@openssh.com') },
  {
    weight: 2,
    arbitrary: opens(
      'forwarded-tcpip',
      address,
      fc.constantFrom(LISTEN_PORT, LISTEN_PORT, 1).map(uint32),
      address,
      u32,
    ),
  },
  { weight: 1, arbitrary: opens('forwarded-streamlocal@openssh.com', oneOf(LISTEN_PATH), string('')) },
  { weight: 1, arbitrary: opens('auth-agent@openssh.com') },
  { weight: 1, arbitrary: opens('x11', address, u32) },
  { weight: 4, arbitrary: onChannels },
)
/** To a client that has not authenticated yet. */
const early = fc.oneof(
  { weight: 3, arbitrary: message(6, oneOf('ssh-userauth')) },
  { weight: 2, arbitrary: fc.constant(Buffer.from([52])) },
  { weight: 1, arbitrary: message(51, oneOf('publickey', 'password', ''), boolean(false)) },
  { weight: 1, arbitrary: message(53, bytes(40).map(string), string('')) },
  { weight: 1, arbitrary: message(60, oneOf('ssh-ed25519'), bytes(60).map(string)) },
  { weight: 1, arbitrary: answers },
  { weight: 1, arbitrary: invented },
)

const deeds = fc
  .array(fc.constantFrom(...Object.keys(DEEDS)), { minLength: 1, maxLength: 5 })
  .map((verbs) => verbs.map((verb) => act(verb)))

/** Deeds of the client, and what a server says to them. */
const afterwards = deeds.chain((begin) => conversations(answers, { most: 30, begin }))

export const CLIENT_TARGETS: readonly Target[] = [
  { name: 'ssh-client', scripts: afterwards, outcomes: ['did something', 'did nothing'], open },
  {
    name: 'ssh-client-alone',
    scripts: conversations(early, { most: 15, begin: [act('alone'), act('exec'), act('ping')] }),
    outcomes: ['did something', 'did nothing', 'not connected'],
    open,
  },
]
