import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { TRANSPORT_BUFFER, WINDOW_INITIAL } from '../../../src/core/limits.js'
import { byte, MSG, string, uint32 } from '../../../src/ssh/wire.js'
import { untilSettled } from '../../helpers/bytes.js'
import { memoryInUse } from '../../helpers/memory-in-use.js'
import { idle, memoryJob } from '../../helpers/memory-job.js'
import { rawSession, sessionPair } from '../../helpers/session-pair.js'

const MIB = 2 ** 20
/** What Node.js's own streams hold here and there, on the way from a process to a reader. */
const STREAMS = MIB

function drained(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off('drain', done).off('close', done)
      resolve()
    }
    stream.on('drain', done).on('close', done)
  })
}

/** Writes without an end, as fast as it is read. */
const yes = () => {
  const state = { written: 0 }
  const job = memoryJob(async ({ stdout }) => {
    const lines = Buffer.alloc(2 ** 16, 'y\n')
    while (stdout.writable) {
      state.written += lines.length
      if (!stdout.write(lines)) await drained(stdout)
    }
    return { exitCode: 0 }
  })
  return { job, state }
}

describe('back-pressure', () => {
  it('holds a command that writes without end for a client that does not read its channel', async () => {
    const { job, state } = yes()
    const pair = await sessionPair({ job })
    await pair.client.exec('yes')
    const written = await untilSettled(() => state.written)
    expect(written).toBeGreaterThanOrEqual(WINDOW_INITIAL)
    expect(written).toBeLessThan(WINDOW_INITIAL + STREAMS)
    await pair.close()
  })

  it('holds it for a peer that stops reading its stream, with a window of 4 GiB', async () => {
    const { job, state } = yes()
    const session = await rawSession(job)
    const id = await session.peer.open(0, 2 ** 32 - 1)
    session.clientStream.pause()
    const before = memoryInUse()
    session.peer.send(byte(MSG.CHANNEL_REQUEST), uint32(id), string('exec'), byte(0), string('yes'))
    expect(await untilSettled(() => state.written)).toBeLessThan(TRANSPORT_BUFFER + STREAMS)
    expect(session.serverStream.writableLength).toBeLessThan(TRANSPORT_BUFFER + MIB / 8)
    expect(memoryInUse() - before).toBeLessThan(64 * MIB)
    await session.close()
  })

  it('holds a client that writes without end to a command that does not read', async () => {
    const pair = await sessionPair({ job: memoryJob(idle) })
    const remote = await pair.client.exec('sleep')
    const piece = Buffer.alloc(2 ** 16)
    let taken = 0
    const next = (): void => {
      remote.stdin.write(piece, (error) => {
        if (error) return
        taken += piece.length
        next()
      })
    }
    next()
    expect(await untilSettled(() => taken)).toBeLessThan(WINDOW_INITIAL + STREAMS)
    await pair.close()
  })

  it('of one channel leaves the others of its connection alone', async () => {
    const { job } = yes()
    const pair = await sessionPair({ job })
    await pair.client.exec('yes')
    const second = await pair.client.exec('yes')
    let received = 0
    second.stdout.on('data', (chunk: Buffer) => {
      received += chunk.length
    })
    while (received < 8 * MIB) await once(second.stdout, 'data')
    await pair.close()
  })
})
