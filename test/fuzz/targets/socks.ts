import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import fc from 'fast-check'
import { turnOfEventLoop, until } from '../../helpers/bytes.js'
import { closeSockets, dial, echoSocket, serveSockets } from '../../helpers/loopback.js'
import { idle, memoryJob } from '../../helpers/memory-job.js'
import { sessionPair } from '../../helpers/session-pair.js'
import { filler } from '../core/marks.js'
import { mutated } from '../core/mutations.js'
import { inPieces } from '../core/pieces.js'
import { type Script, say } from '../core/script.js'
import type { OpenTarget, Target } from '../core/target.js'
import { bytes } from '../core/values.js'

/** Stands in scripts for the port of a server that writes back. */
const PORT = [0xee, 0x49]
const NAME = [...Buffer.from('localhost')]

const sound = fc
  .constantFrom(
    [5, 1, 0, 5, 1, 0, 1, 127, 0, 0, 1, ...PORT, 65],
    [5, 2, 0, 2, 5, 1, 0, 3, NAME.length, ...NAME, ...PORT],
    [5, 1, 0, 5, 1, 0, 4, ...Array<number>(16).fill(0), ...PORT],
    [5, 1, 2, 5],
    [5, 1, 0, 5, 2, 0, 1, 127, 0, 0, 1, ...PORT],
    [4, 1, ...PORT, 127, 0, 0, 1, 0],
    [4, 1, ...PORT, 0, 0, 0, 1, 109, 101, 0, ...NAME, 0, 66, 67],
    [4, 2, ...PORT, 127, 0, 0, 1, 0],
  )
  .map((list) => Buffer.from(list))
const wish = fc.oneof({ weight: 5, arbitrary: sound }, { weight: 1, arbitrary: bytes(3_000) })

/** What of a wish may be said to a server that connects from here: no whole address, which might lead anywhere. */
const HARMLESS_BYTES = 7

async function open(directory: string): Promise<OpenTarget> {
  const { port } = await serveSockets(echoSocket)
  const fill = filler([[Buffer.from(PORT), Buffer.from([port >> 8, port & 0xff])]])
  const pair = await sessionPair({
    job: memoryJob(idle),
    // Whatever else is asked for is refused, and neither looked up nor connected to.
    serve: { permitOpen: [`127.0.0.1:${port}`, `localhost:${port}`] },
  })
  const here = await pair.client.forwardDynamic({ port: 0 })
  const inTheJob = await pair.client.forwardRemoteDynamic({ port: 0 })
  async function say(to: number | undefined, script: Script, most: number): Promise<Buffer> {
    const socket = await dial(to ?? 0)
    const chunks: Buffer[] = []
    socket.on('data', (chunk: Buffer) => void chunks.push(chunk))
    let left = most
    for (const { bytes } of script) {
      if (!socket.writable) break
      socket.write(fill(bytes.subarray(0, left)))
      left = Math.max(0, left - bytes.length)
      await turnOfEventLoop()
    }
    socket.end()
    await until(() => socket.destroyed || socket.readableEnded)
    socket.destroy()
    return Buffer.concat(chunks)
  }
  async function run(script: Script): Promise<string> {
    const answer = await say(here.address.port, script, Number.POSITIVE_INFINITY)
    await say(inTheJob.address.port, script, HARMLESS_BYTES)
    await until(() => pair.served.channels === 0)
    assert.deepEqual([here.connections, inTheJob.connections], [0, 0])
    assert.equal(readdirSync(directory).length, 0)
    const connected =
      (answer[0] === 0 && answer[1] === 90) || (answer[0] === 5 && answer[2] === 5 && answer[3] === 0)
    return connected ? 'connected' : answer.length > 0 ? 'refused' : 'ended'
  }
  async function close(): Promise<void> {
    await pair.close()
    await closeSockets()
  }
  return { run, close }
}

export const SOCKS_TARGETS: readonly Target[] = [
  {
    name: 'socks',
    scripts: inPieces(mutated(wish.map((data) => [say(data)]))),
    outcomes: ['connected', 'refused', 'ended'],
    open,
  },
]
