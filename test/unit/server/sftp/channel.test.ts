import { FXP, makePacket } from '../../../../src/ssh/sftp-protocol.js'
import { byte, MSG, string, uint32 } from '../../../../src/ssh/wire.js'
import { idle, outsideJob } from '../../../helpers/memory-job.js'
import { isAbout, transcript } from '../../../helpers/raw-peer.js'
import { type RawSession, rawSession, testJob } from '../../../helpers/session-pair.js'

describe('the sftp subsystem on its channel', () => {
  let session: RawSession
  afterEach(() => session.close())

  it('answers, then says exit-status, eof and close, in this order', async () => {
    session = await rawSession(testJob())
    const { peer } = session
    const channel = await peer.open(0)
    expect(await peer.request(channel, 'subsystem', string('sftp'))).toBe(true)
    peer.send(byte(MSG.CHANNEL_DATA), uint32(channel), string(makePacket(FXP.INIT, uint32(3))))
    peer.send(byte(MSG.CHANNEL_EOF), uint32(channel))
    await peer.waitFor((message) => isAbout(message, MSG.CHANNEL_CLOSE, 0))
    const lines = transcript(peer.messages, 0).map((line) => (line.split(' ')[0] === 'data' ? 'data' : line))
    expect(lines).toEqual(['success', 'data', 'exit-status 0', 'eof', 'close'])
  })

  it('ends a channel whose packets can not be, and nothing else', async () => {
    session = await rawSession(testJob())
    const { peer } = session
    const [bad, good] = [await peer.open(0), await peer.open(1)]
    for (const channel of [bad, good]) await peer.request(channel, 'subsystem', string('sftp'))
    peer.send(byte(MSG.CHANNEL_DATA), uint32(bad), string(Buffer.alloc(8, 0xff)))
    await peer.waitFor((message) => isAbout(message, MSG.CHANNEL_CLOSE, 0))
    expect(transcript(peer.messages, 0).slice(1)).toEqual(['exit-status 11', 'eof', 'close'])
    peer.send(byte(MSG.CHANNEL_DATA), uint32(good), string(makePacket(FXP.INIT, uint32(3))))
    await peer.waitFor((message) => isAbout(message, MSG.CHANNEL_DATA, 1))
  })

  it('is there once on a channel, and no other subsystem is', async () => {
    session = await rawSession(testJob())
    const { peer } = session
    const channel = await peer.open(0)
    expect(await peer.request(channel, 'subsystem', string('netconf'))).toBe(false)
    expect(await peer.request(channel, 'subsystem', string('sftp'))).toBe(true)
    expect(await peer.request(channel, 'subsystem', string('sftp'))).toBe(false)
    expect(await peer.request(channel, 'exec', string('true'))).toBe(false)
  })

  it('is refused for a job that the server is not inside of, with a sentence', async () => {
    session = await rawSession(outsideJob(idle))
    const channel = await session.peer.open(0)
    expect(await session.peer.request(channel, 'subsystem', string('sftp'))).toBe(false)
    expect(transcript(session.peer.messages, 0)).toEqual([
      'stderr sshjob-server: This job offers neither its files nor its network to sessions.\n',
      'failure',
    ])
  })
})
