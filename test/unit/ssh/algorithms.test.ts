import { hostKeyAlgorithms, offer } from '../../../src/ssh/algorithms.js'
import { MSG, Reader } from '../../../src/ssh/wire.js'
import { serve } from '../../../src/starter/serve.js'
import { streamPair } from '../../../src/streams/memory.js'
import { until } from '../../helpers/bytes.js'
import { idle, memoryJob } from '../../helpers/memory-job.js'
import { protocolClient } from '../../helpers/protocol-client.js'
import { sessionKeys } from '../../helpers/raw-peer.js'

const ALL = offer(['ssh-ed25519'])
const UNKNOWN_MESSAGE = Buffer.from([192, 1, 2, 3])

/** What a server offers, as it stands on the wire: the lists of its KEXINIT (RFC 4253 §7.1). */
async function readOffer(): Promise<Record<string, string[]>> {
  const [serverStream, clientStream] = streamPair()
  const served = serve(serverStream, memoryJob(idle), { credentials: sessionKeys().server })
  clientStream.write('SSH-2.0-test\r\n')
  let received = Buffer.alloc(0)
  const complete = (): boolean => {
    const at = received.indexOf('\n') + 1
    return at > 0 && received.length >= at + 4 && received.length >= at + 4 + received.readUInt32BE(at)
  }
  clientStream.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk])
  })
  await until(complete)
  const packet = received.subarray(received.indexOf('\n') + 1)
  const reader = new Reader(packet, 5 + 1 + 16)
  const names = ['kex', 'hostKey', 'cipherIn', 'cipherOut', 'macIn', 'macOut', 'compressIn', 'compressOut']
  expect(packet[5]).toBe(MSG.KEXINIT)
  const lists = Object.fromEntries(names.map((name) => [name, reader.text().split(',')]))
  clientStream.destroy()
  await served.closed
  return lists
}

describe('the algorithms', () => {
  it('that the server offers are these, and no group exchange, SHA-1, CBC or compression', async () => {
    const lists = await readOffer()
    expect(lists).toEqual({
      kex: [...ALL.kex, 'kex-strict-s-v00@openssh.com'],
      hostKey: ['ssh-ed25519'],
      cipherIn: ALL.cs.cipher,
      cipherOut: ALL.sc.cipher,
      macIn: ALL.cs.mac,
      macOut: ALL.sc.mac,
      compressIn: ['none'],
      compressOut: ['none'],
    })
    expect(Object.values(lists).flat().join(' ')).not.toMatch(
      /group-exchange|sha1|-cbc|zlib|ssh-rsa|3des|md5/,
    )
  })

  it('with which an RSA host key signs do not include SHA-1', () => {
    expect(hostKeyAlgorithms('ssh-rsa')).toEqual(['rsa-sha2-512', 'rsa-sha2-256'])
    expect(hostKeyAlgorithms('ssh-ed25519')).toEqual(['ssh-ed25519'])
  })

  const choices = [
    ...ALL.kex.map((kex) => ({ kex })),
    ...ALL.cs.cipher.map((cipher) => ({ cipher })),
    ...ALL.cs.mac.map((mac) => ({ cipher: 'aes128-ctr', mac })),
  ]
  it.each(choices.map((choice) => [Object.values(choice).join(' with '), choice] as const))(
    'include %s, which works, and counts the packets as the peer does',
    async (_title, choice: { kex?: string; cipher?: string; mac?: string }) => {
      const direction = {
        ...ALL.cs,
        cipher: choice.cipher === undefined ? ALL.cs.cipher : [choice.cipher],
        mac: choice.mac === undefined ? ALL.cs.mac : [choice.mac],
      }
      const keys = sessionKeys()
      const [serverStream, clientStream] = streamPair()
      const served = serve(serverStream, memoryJob(idle), { credentials: keys.server })
      const client = await protocolClient(clientStream, keys.client, {
        kex: choice.kex === undefined ? ALL.kex : [choice.kex],
        serverHostKey: ['ssh-ed25519'],
        cs: direction,
        sc: direction,
      })
      expect([client.negotiated.kex, client.negotiated.cs.cipher]).toEqual([
        choice.kex ?? ALL.kex[0],
        choice.cipher ?? ALL.cs.cipher[0],
      ])
      for (let i = 0; i < 3; i++) {
        const answer = client.next(MSG.UNIMPLEMENTED)
        const sequence = client.send(UNKNOWN_MESSAGE)
        expect((await answer).readUInt32BE(1)).toBe(sequence)
      }
      clientStream.destroy()
      await served.closed
    },
  )
})
