import { createECDH, generateKeyPairSync, randomBytes } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { silent } from '../../../src/core/log.js'
import { hostKeyAlgorithms, offer } from '../../../src/ssh/algorithms.js'
import { hostKeysOf } from '../../../src/ssh/host-keys.js'
import { guessedWrong } from '../../../src/ssh/kex-guess.js'
import { readKexinit } from '../../../src/ssh/kexinit.js'
import { generateKey, parseKey } from '../../../src/ssh/keys.js'
import { Transport } from '../../../src/ssh/transport.js'
import { boolean, byte, MSG, string, uint32 } from '../../../src/ssh/wire.js'
import { streamPair } from '../../../src/streams/memory.js'

const KEX_ECDH_INIT = 30
const KEX_ECDH_REPLY = 31
const OURS = offer(hostKeyAlgorithms('ssh-ed25519'))

function kexinit(kex: string, hostKeys = 'ssh-ed25519', follows = true): Buffer {
  const lists = [
    kex,
    hostKeys,
    'aes128-ctr',
    'aes128-ctr',
    'hmac-sha2-256',
    'hmac-sha2-256',
    'none',
    'none',
    '',
    '',
  ]
  return Buffer.concat([
    byte(MSG.KEXINIT),
    randomBytes(16),
    ...lists.map(string),
    boolean(follows),
    uint32(0),
  ])
}

describe('the guess of a key exchange', () => {
  it.each([
    ['right', kexinit('curve25519-sha256,ecdh-sha2-nistp256'), false],
    ['wrong in the exchange', kexinit('ecdh-sha2-nistp256,curve25519-sha256'), true],
    ['wrong in an exchange that is unknown here', kexinit('mlkem768x25519-sha256,curve25519-sha256'), true],
    ['wrong in the host key', kexinit('curve25519-sha256', 'rsa-sha2-256,ssh-ed25519'), true],
    ['none', kexinit('ecdh-sha2-nistp256', 'ssh-ed25519', false), false],
  ])('is %s', (_what, message, wrong) => {
    expect(guessedWrong(readKexinit(message), OURS)).toBe(wrong)
  })
})

describe('a server whose client guesses', () => {
  /** Says all of this to a server at once; gives the types of the messages that it answers with. */
  async function answers(...messages: Buffer[]): Promise<(number | undefined)[]> {
    const [ours, theirs] = streamPair()
    const transport = new Transport({
      stream: theirs,
      side: { role: 'server', hostKeys: hostKeysOf(parseKey(generateKey().privateKey)) },
      handlers: {},
      onReady: () => undefined,
      onMessage: () => undefined,
      onClosed: () => undefined,
      log: silent,
    })
    ours.write(Buffer.concat([Buffer.from('SSH-2.0-guesser\r\n'), ...messages.map(packet)]))
    const types = await readTypes(ours, 2)
    transport.close()
    ours.destroy()
    return types
  }

  it('takes a right guess', async () => {
    expect(await answers(kexinit('curve25519-sha256'), x25519())).toEqual([MSG.KEXINIT, KEX_ECDH_REPLY])
  })

  it('ignores a wrong guess, and takes what comes behind it', async () => {
    const preferred = 'ecdh-sha2-nistp384,curve25519-sha256,ecdh-sha2-nistp256'
    const guess = Buffer.concat([byte(KEX_ECDH_INIT), string(randomBytes(97))])
    const ecdh = createECDH('secp384r1')
    const right = Buffer.concat([byte(KEX_ECDH_INIT), string(ecdh.generateKeys())])
    expect(await answers(kexinit(preferred), guess, right)).toEqual([MSG.KEXINIT, KEX_ECDH_REPLY])
  })

  it('takes the first packet of a client that does not guess', async () => {
    const message = kexinit('curve25519-sha256', 'ssh-ed25519', false)
    expect(await answers(message, x25519())).toEqual([MSG.KEXINIT, KEX_ECDH_REPLY])
  })
})

function x25519(): Buffer {
  const { publicKey } = generateKeyPairSync('x25519')
  return Buffer.concat([
    byte(KEX_ECDH_INIT),
    string(publicKey.export({ type: 'spki', format: 'der' }).subarray(-32)),
  ])
}

/** RFC 4253 §6, before there are keys. */
function packet(payload: Buffer): Buffer {
  const padding = 8 + ((8 - ((5 + payload.length) % 8)) % 8)
  return Buffer.concat([uint32(1 + payload.length + padding), byte(padding), payload, Buffer.alloc(padding)])
}

async function readTypes(stream: Duplex, count: number): Promise<(number | undefined)[]> {
  let data = Buffer.alloc(0)
  for await (const chunk of stream) {
    data = Buffer.concat([data, chunk])
    const types: (number | undefined)[] = []
    let at = data.indexOf('\n') + 1
    while (at > 0 && at + 4 < data.length && types.length < count) {
      types.push(data[at + 5])
      at += 4 + data.readUInt32BE(at)
    }
    if (types.length === count && at <= data.length) return types
  }
  throw new Error('the server has ended the connection')
}
