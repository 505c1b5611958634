import { remoteFiles } from '../../../../src/client/sftp/remote-files.js'
import type { Channel } from '../../../../src/ssh/channel.js'
import { FXP, makePacket } from '../../../../src/ssh/sftp-protocol.js'
import { string, uint32 } from '../../../../src/ssh/wire.js'
import { until } from '../../../helpers/bytes.js'
import { type ConnectionPair, connectionPair } from '../../../helpers/connection-pair.js'

const BROKEN = { code: 'protocol-error', message: 'The server breaks the file transfer protocol.' }
let pair: ConnectionPair
afterEach(() => pair.close())

/** A client's files, on a server that says these packets one after the other, whatever it is asked. */
async function filesOf(...packets: Buffer[]) {
  pair = await connectionPair(undefined, {
    server: {
      onChannelOpen: () => ({ accept: (channel) => serve(channel, [...packets]) }),
      onGlobalRequest: () => false,
    },
  })
  return remoteFiles(() => pair.client.connection.open('session'))
}

function serve(channel: Channel, packets: Buffer[]): void {
  channel.onRequest = () => true
  channel.input.on('data', () => {
    const packet = packets.shift()
    if (packet !== undefined) channel.output.write(packet)
  })
}

it.each([
  ['is cut off', Buffer.alloc(3)],
  ['names half an extension', Buffer.concat([uint32(3), string('limits@openssh.com')])],
])('a version that %s is told, and its channel closed', async (_title, version) => {
  const files = await filesOf(makePacket(FXP.VERSION, version))
  await expect(files.stat('f')).rejects.toMatchObject(BROKEN)
  await until(() => pair.client.connection.channels.size === 0)
})

it.each([
  ['stat', makePacket(FXP.ATTRS, uint32(0), uint32(1))],
  ['realpath', makePacket(FXP.NAME, uint32(0), uint32(1), uint32(5))],
  ['readFile', makePacket(FXP.HANDLE, uint32(0))],
] as const)('an answer to %s that ends too early is told', async (method, answer) => {
  const files = await filesOf(makePacket(FXP.VERSION, uint32(3)), answer)
  await expect(files[method]('f')).rejects.toMatchObject(BROKEN)
})
