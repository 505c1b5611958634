import { once } from 'node:events'
import fs from 'node:fs'
import { join } from 'node:path'
import type { Duplex, Readable, Writable } from 'node:stream'
import { SshjobError } from '../../../src/core/errors.js'
import { SFTP_WINDOW_BYTES } from '../../../src/core/limits.js'
import { writeUntilStuck } from '../../helpers/bytes.js'
import { type SessionPair, sessionPair } from '../../helpers/session-pair.js'
import { serveSockets } from '../../helpers/sockets.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

const MIB = 1024 * 1024

/** What a stream says of its end, of which nobody else hears. */
function heard(stream: Duplex | Readable | Writable): Promise<string[]> {
  const said: string[] = []
  for (const event of ['error', 'end', 'finish'] as const) stream.on(event, () => said.push(event))
  return once(stream, 'close').then(
    () => said,
    // once() rejects for an 'error': the close comes behind it.
    () => said,
  )
}

describe('to close a connection oneself', () => {
  const directory = temporaryDirectory()
  let pair: SessionPair
  beforeEach(async () => {
    pair = await sessionPair()
  })
  afterEach(() => pair.close())

  async function tunnel(): Promise<Duplex> {
    const { port } = await serveSockets((socket) => void socket.pause().on('error', () => undefined))
    return pair.client.openTcp('127.0.0.1', port)
  }

  /** More than is asked for at a time. */
  function bigFile(): string {
    const file = join(directory(), 'big')
    fs.writeFileSync(file, '')
    fs.truncateSync(file, 8 * SFTP_WINDOW_BYTES)
    return file
  }

  it('is no error of a stream that is read', async () => {
    const stream = await tunnel()
    const said = heard(stream.resume())
    await pair.client.close()
    expect(await said).toEqual([])
  })

  it('is no error of a stream that nobody reads and that has still to write', async () => {
    const stream = await tunnel()
    await writeUntilStuck(stream, Buffer.alloc(MIB), 256 * MIB)
    const said = heard(stream)
    await pair.client.close()
    stream.resume()
    expect(await said).toEqual([])
  })

  it('is no error of a file that is being read, and no end of it either', async () => {
    const stream = pair.client.files.createReadStream(bigFile())
    const said = heard(stream)
    await once(stream, 'readable')
    await pair.client.close()
    stream.resume()
    expect(await said).toEqual([])
  })

  it('is no error of a file that is being written, and no success either', async () => {
    const stream = pair.client.files.createWriteStream(join(directory(), 'writing'))
    await new Promise((resolve) => stream.write('x', resolve))
    stream.end(Buffer.alloc(2 * SFTP_WINDOW_BYTES))
    const said = heard(stream)
    await pair.client.close()
    expect(await said).toEqual([])
  })

  it('is no error of a file that is being opened, and no success either', async () => {
    const said = [
      pair.client.files.createWriteStream('a').end('x'),
      pair.client.files.createReadStream('a').resume(),
    ].map(heard)
    await pair.client.close()
    expect(await Promise.all(said)).toEqual([[], []])
  })

  it('is an error of whoever waits for an answer', async () => {
    const reading = pair.client.files.readFile(bigFile())
    const failure = reading.catch((error: unknown) => error)
    await pair.client.close()
    expect(await failure).toMatchObject({
      code: 'connection-closed',
      message: 'The connection was closed.',
    })
  })

  it('is nothing that the other end can bring about: that is an error of each stream', async () => {
    const stream = await tunnel()
    const said = heard(stream.resume())
    await pair.served.end(new SshjobError('job-ended', 'The job has ended.'))
    expect(await said).toEqual(['error'])
    expect(stream.errored).toMatchObject({
      code: 'connection-closed',
      message: 'The other side closed the connection: The job has ended.',
    })
  })
})
