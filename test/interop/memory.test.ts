import fs from 'node:fs'
import { join } from 'node:path'
import { sendClientHello } from '../../src/hello/exchange.js'
import { connectUnix } from '../../src/sockets/unix.js'
import { generateKey } from '../../src/ssh/keys.js'
import { FXF, FXP, makePacket } from '../../src/ssh/sftp-protocol.js'
import { byte, MSG, string, uint32, uint64 } from '../../src/ssh/wire.js'
import { until } from '../helpers/bytes.js'
import { type RawPeer, rawPeer } from '../helpers/raw-peer.js'
import { JOB, starterSuite } from '../helpers/starter.js'

const MIB = 1024 * 1024
const CHANNELS = 250
const READS = 40
const READ_BYTES = 255 * 1024
/** With 4 MiB of answers on each channel it would be a gigabyte, and was. */
const MOST_DURING = 350 * MIB
const MOST_AFTER = 60 * MIB

const residentOf = (pid: number): number => {
  try {
    return (
      Number(/^RssAnon:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0) * 1024
    )
  } catch {
    return 0 // it has ended
  }
}

const nameOf = (pid: number): string => {
  try {
    return fs.readFileSync(`/proc/${pid}/comm`, 'latin1').trim()
  } catch {
    return '' // as above
  }
}

const childrenOf = (pid: number): number[] => {
  try {
    return fs
      .readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1')
      .split(' ')
      .filter(Boolean)
      .map(Number)
  } catch {
    return []
  }
}

/** This process and those below it. */
const treeOf = (pid: number): number[] => [pid, ...childrenOf(pid).flatMap(treeOf)]

describe('the memory of a starter', () => {
  const { user, start } = starterSuite()

  it('is bounded for all channels of a connection together, and given back', async () => {
    const starter = await start()
    /** The server, and after it what serves files. */
    const programs = (): number[] => treeOf(starter.pid).filter((pid) => nameOf(pid) === 'node')
    const memory = (): number =>
      programs()
        .map(residentOf)
        .reduce((a, b) => a + b)
    const before = memory()
    const big = join(user().folder, 'big')
    fs.writeFileSync(big, '')
    fs.truncateSync(big, 64 * MIB)
    const socket = await connectUnix(join(user().env.XDG_RUNTIME_DIR ?? '', 'sshjob', `${JOB}.sock`))
    const key = generateKey()
    const { hostKey = '' } = await sendClientHello(socket, { publicKey: key.publicKey }, {})
    const peer = await rawPeer(socket, { privateKey: key.privateKey, hostKey })
    for (let id = 0; id < CHANNELS; id++) await askForMuch(peer, id, big)
    const answered = (): number => peer.messages.filter(([type]) => type === MSG.CHANNEL_DATA).length
    await until(() => answered() > CHANNELS)
    const used = programs()
    expect(used).toHaveLength(2)
    let most = 0
    for (let look = 0; look < 50; look++) {
      most = Math.max(most, memory())
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    expect(most - before).toBeLessThan(MOST_DURING)
    peer.transport.close()
    // Some seconds later, when nothing is done any more.
    while (memory() - before > MOST_AFTER) await new Promise((resolve) => setTimeout(resolve, 100))
    // The process that has served them has gone, and another is there for the next.
    await until(() => programs().length === 2 && programs()[1] !== used[1])
  }, 180_000)

  /** SFTP on a channel, and reads whose answers are taken up to a window of 64 KiB. */
  async function askForMuch(peer: RawPeer, id: number, path: string): Promise<void> {
    const channel = await peer.open(id, 64 * 1024)
    expect(await peer.request(channel, 'subsystem', string('sftp'))).toBe(true)
    const handle = string(uint32(0))
    const requests = [
      makePacket(FXP.INIT, uint32(3)),
      makePacket(FXP.OPEN, uint32(0), string(path), uint32(FXF.READ), uint32(0)),
    ]
    for (let n = 0; n < READS; n++) {
      requests.push(makePacket(FXP.READ, uint32(n), handle, uint64(n * READ_BYTES), uint32(READ_BYTES)))
    }
    peer.send(byte(MSG.CHANNEL_DATA), uint32(channel), string(Buffer.concat(requests)))
  }
})
