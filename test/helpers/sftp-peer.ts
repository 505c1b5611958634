import type { Duplex, Readable, Writable } from 'node:stream'
import { BlockingCalls } from '../../src/core/blocking-calls.js'
import { silent } from '../../src/core/log.js'
import { fileCalls } from '../../src/job/local-files.js'
import { type SftpSession, serveSftp } from '../../src/server/sftp/serve-sftp.js'
import { SftpConnection } from '../../src/server/sftp/sftp-connection.js'
import { FX, FXP, makePacket, PacketSplitter } from '../../src/ssh/sftp-protocol.js'
import { Reader, string, uint32 } from '../../src/ssh/wire.js'
import { streamPair } from '../../src/streams/memory.js'

export interface Answer {
  type: number
  /** What follows the id. */
  data: Buffer
}

/** An SFTP client that sends what it is told to, and understands little. */
export interface SftpPeer {
  /** Sends a request with an id of its own; resolves with the answer. Rejects when the server ends first. */
  ask(type: number, ...parts: Buffer[]): Promise<Answer>
  askExtended(name: string, ...parts: Buffer[]): Promise<Answer>
  /** The code of the STATUS that this request is answered with; the type's name where it is another answer. */
  status(type: number, ...parts: Buffer[]): Promise<number>
  /** Opens a file; gives its handle, or throws where it can't be opened. */
  open(path: string | Buffer, flags: number, attributes?: Buffer): Promise<Buffer>
  /** Sends bytes as they are. */
  send(bytes: Buffer): void
  /** Ends our direction. */
  end(): void
}

export function sftpPeer(input: Readable, output: Writable): SftpPeer {
  const splitter = new PacketSplitter(1024 * 1024)
  const waiting = new Map<number, { resolve: (answer: Answer) => void; reject: (error: Error) => void }>()
  let nextId = 1_000
  let over = false
  input.on('data', (chunk: Buffer) => {
    splitter.add(chunk)
    for (let packet = splitter.take(); packet !== undefined; packet = splitter.take()) {
      const type = packet.byte()
      const id = type === FXP.VERSION ? 0 : packet.uint32()
      waiting.get(id)?.resolve({ type, data: Buffer.from(packet.rest()) })
      waiting.delete(id)
    }
  })
  const fail = (): void => {
    over = true
    for (const { reject } of waiting.values()) reject(new Error('the server has ended'))
    waiting.clear()
  }
  input.on('end', fail)
  input.on('close', fail)
  output.on('error', () => undefined)

  const wait = (id: number): Promise<Answer> =>
    new Promise((resolve, reject) => {
      if (over) reject(new Error('the server has ended'))
      else waiting.set(id, { resolve, reject })
    })
  const peer: SftpPeer = {
    ask(type, ...parts) {
      const id = type === FXP.INIT ? 0 : nextId++
      const answer = wait(id)
      output.write(type === FXP.INIT ? makePacket(type, ...parts) : makePacket(type, uint32(id), ...parts))
      return answer
    },
    askExtended: (name, ...parts) => peer.ask(FXP.EXTENDED, string(name), ...parts),
    async status(type, ...parts) {
      const answer = await peer.ask(type, ...parts)
      return answer.type === FXP.STATUS ? answer.data.readUInt32BE() : FX.OK
    },
    async open(path, flags, attributes = uint32(0)) {
      const answer = await peer.ask(FXP.OPEN, string(path), uint32(flags), attributes)
      if (answer.type !== FXP.HANDLE) throw new Error(`not opened: ${describeAnswer(answer)}`)
      return Buffer.from(new Reader(answer.data).string())
    },
    send: (bytes) => void output.write(bytes),
    end: () => void output.end(),
  }
  return peer
}

/** 'status 2 No such file', and so on: for messages of tests. */
export function describeAnswer({ type, data }: Answer): string {
  if (type !== FXP.STATUS) return `answer ${type} of ${data.length} bytes`
  const reader = new Reader(data)
  return `status ${reader.uint32()} ${reader.text()}`
}

export interface ServedSftp {
  peer: SftpPeer
  session: SftpSession
  /** The client's end of the stream. */
  stream: Duplex
  close(): Promise<void>
}

/** Our server on a folder, over two streams in memory, with the version exchanged. */
export async function servedSftp(
  directory: string,
  home = directory,
  calls = fileCalls(new BlockingCalls()),
): Promise<ServedSftp> {
  const [near, far] = streamPair()
  const session = serveSftp(far, far, {
    files: { directory, home, calls },
    connection: new SftpConnection(),
    log: silent,
  })
  const peer = sftpPeer(near, near)
  await peer.ask(FXP.INIT, uint32(3))
  return {
    peer,
    session,
    stream: near,
    async close() {
      near.destroy()
      await session.terminate()
    },
  }
}
