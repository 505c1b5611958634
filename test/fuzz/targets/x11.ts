import assert from 'node:assert/strict'
import fc from 'fast-check'
import { IncomingChannels } from '../../../src/client/forwarding/remote.js'
import { X11_FIRST_PORT } from '../../../src/core/limits.js'
import { OPEN_FAILURE, Reader, string, uint32 } from '../../../src/ssh/wire.js'
import { turnOfEventLoop, until } from '../../helpers/bytes.js'
import { connectionPair } from '../../helpers/connection-pair.js'
import { closeSockets } from '../../helpers/loopback.js'
import { setupPacket } from '../../helpers/x11.js'
import { filler } from '../core/marks.js'
import { mutated } from '../core/mutations.js'
import { inPieces } from '../core/pieces.js'
import { type Script, say } from '../core/script.js'
import type { OpenTarget, Target } from '../core/target.js'
import { bytes } from '../core/values.js'
import { serveDisplay } from './display.js'

const MIT = 'MIT-MAGIC-COOKIE-1'
/** Stands in scripts for the cookie, which is another each time. */
const COOKIE = Buffer.from('<the cookie is.>')

const setup = fc
  .tuple(fc.constantFrom<'B' | 'l'>('B', 'l'), fc.constantFrom(MIT, MIT, 'XDM-AUTHORIZATION-1', ''))
  .map(([order, protocol]) => setupPacket(order, protocol, COOKIE))
const packet = fc.oneof({ weight: 5, arbitrary: setup }, { weight: 1, arbitrary: bytes(200) })

/** A program of X11 in the job is let in if its first packet has the cookie, and every other is ended. */
async function open(): Promise<OpenTarget> {
  const { port, sockets } = await serveDisplay()
  const incoming = new IncomingChannels()
  const refuse = { refuse: OPEN_FAILURE.UNKNOWN_CHANNEL_TYPE, message: 'no' }
  const pair = await connectionPair(undefined, {
    client: {
      onChannelOpen: (type, data) => incoming.open(type, data) ?? refuse,
      onGlobalRequest: () => false,
    },
  })
  const { request } = await incoming.allowDisplay({
    trusted: true,
    display: `127.0.0.1:${port - X11_FIRST_PORT}`,
    authorityFile: '/dev/null',
  })
  const cookie = Buffer.from(new Reader(request[2] ?? Buffer.alloc(0)).text(), 'hex')
  const fill = filler([[COOKIE, cookie]])
  async function run(script: Script): Promise<string> {
    const before = sockets.length
    const channel = await pair.server.connection.open('x11', string('127.0.0.1'), uint32(1))
    const chunks: Buffer[] = []
    channel.input.on('data', (chunk: Buffer) => void chunks.push(chunk))
    channel.output.on('error', () => undefined)
    const said: Buffer[] = []
    for (const { bytes } of script) {
      if (!channel.output.writable) break
      said.push(fill(bytes))
      channel.output.write(fill(bytes))
      await turnOfEventLoop()
    }
    channel.output.end()
    await channel.closed
    const letIn = sockets.length > before
    const all = Buffer.concat(said)
    const answer = Buffer.concat(chunks)
    if (letIn) {
      assert.ok(all.includes(cookie) && all.includes(MIT))
      // The display wants no cookie, so it is told none: the lengths of both parts are 0.
      assert.equal(answer.toString('hex', 6, 10), '00000000')
    } else assert.equal(answer.length, 0)
    // Our end may hear of it in a later turn of the event loop.
    await until(() => pair.client.connection.channels.size === 0)
    return letIn ? 'let in' : 'ended'
  }
  async function close(): Promise<void> {
    await pair.close()
    await closeSockets()
  }
  return { run, close }
}

export const X11_TARGETS: readonly Target[] = [
  {
    name: 'x11',
    scripts: inPieces(mutated(packet.map((data) => [say(data)]))),
    outcomes: ['let in', 'ended'],
    open,
  },
]
