import { generateKeyPairSync } from 'node:crypto'
import { type Binding, readHostbound } from '../../../src/ssh/hostbound.js'
import { generateKey, parseBlob, parseKey } from '../../../src/ssh/keys.js'
import { boolean, byte, string } from '../../../src/ssh/wire.js'
import { serve } from '../../../src/starter/serve.js'
import { streamPair } from '../../../src/streams/memory.js'
import { idle, memoryJob } from '../../helpers/memory-job.js'
import { rawPeer, sessionKeys } from '../../helpers/raw-peer.js'

const METHOD = 'publickey-hostbound-v00@openssh.com'
const USERAUTH = { request: 50, failure: 51, success: 52, ok: 60 }

/** A session that has exchanged keys, and a request of its client's. */
async function ask(change: { hostKey?: Buffer; sessionId?: Buffer; signed?: boolean } = {}) {
  const keys = sessionKeys()
  const [serverStream, clientStream] = streamPair()
  const served = serve(serverStream, memoryJob(idle), { credentials: keys.server })
  const peer = await rawPeer(clientStream, { ...keys.client, authenticate: false })
  const key = parseKey(keys.client.privateKey)
  const { signed = true, hostKey = parseKey(keys.client.hostKey).getPublicSSH() } = change
  const sessionId = change.sessionId ?? peer.transport.packets.sessionId ?? Buffer.alloc(0)
  const head = [
    byte(USERAUTH.request),
    string('anyone'),
    string('ssh-connection'),
    string(METHOD),
    boolean(signed),
  ]
  const body = [string(key.type), string(key.getPublicSSH()), string(hostKey)]
  const signature = key.sign(Buffer.concat([string(sessionId), ...head, ...body]))
  if (signature instanceof Error) throw signature
  peer.send(byte(5), string('ssh-userauth'))
  peer.send(
    ...head,
    ...body,
    ...(signed ? [string(Buffer.concat([string(key.type), string(signature)]))] : []),
  )
  const answer = await peer.waitFor(([type]) => type !== undefined && type > USERAUTH.request)
  peer.transport.close()
  await served.closed
  return answer[0]
}

describe('a signature that is bound to the host key', () => {
  it('lets its client in', async () => {
    expect(await ask()).toBe(USERAUTH.success)
    expect(await ask({ signed: false })).toBe(USERAUTH.ok)
  })

  it('does not, where it is about another host key or another session', async () => {
    expect(await ask({ hostKey: parseKey(generateKey().publicKey).getPublicSSH() })).toBe(USERAUTH.failure)
    expect(await ask({ sessionId: Buffer.alloc(32) })).toBe(USERAUTH.failure)
  })

  it('may be of an algorithm that nobody has heard of', () => {
    const binding: Binding = { sessionId: Buffer.from('id'), hostKey: Buffer.from('host') }
    const data = [boolean(false), string('constructor'), string('key'), string(binding.hostKey)]
    const request = { user: 'a', service: 'ssh-connection', data: Buffer.concat(data) }
    expect(readHostbound(request, binding)).toMatchObject({ keyAlgo: 'constructor', hashAlgo: undefined })
  })

  it('is by the algorithm that was named, and no other', () => {
    const binding: Binding = { sessionId: Buffer.from('id'), hostKey: Buffer.from('host') }
    const { type, blob } = { type: 'ssh-ed25519', blob: parseKey(generateKey().publicKey).getPublicSSH() }
    const read = (signedBy: string) => {
      const encoded = string(Buffer.concat([string(signedBy), string(Buffer.alloc(64))]))
      const data = [boolean(true), string(type), string(blob), string(binding.hostKey), encoded]
      return readHostbound({ user: 'u', service: 's', data: Buffer.concat(data) }, binding)
    }
    expect(read(type)).toMatchObject({ keyAlgo: type, signature: Buffer.alloc(64) })
    expect(read('ssh-rsa')).toBeUndefined()
    expect(read('')).toBeUndefined()
  })

  it('is read for the kinds of keys whose signatures OpenSSL wants in another form', () => {
    const binding: Binding = { sessionId: Buffer.from('id'), hostKey: Buffer.from('host') }
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const key = parseKey(privateKey.export({ type: 'sec1', format: 'pem' }).toString())
    const blob = key.getPublicSSH()
    const pair = Buffer.concat([string(Buffer.alloc(32, 1)), string(Buffer.alloc(32, 2))])
    const data = [boolean(true), string(key.type), string(blob), string(binding.hostKey)]
    const encoded = string(Buffer.concat([string(key.type), string(pair)]))
    const request = { user: 'u', service: 's', data: Buffer.concat([...data, encoded]) }
    const read = readHostbound(request, binding)
    expect(read).toMatchObject({ keyAlgo: 'ecdsa-sha2-nistp256', hashAlgo: undefined })
    expect(read?.signature?.[0]).toBe(0x30) // a sequence of ASN.1
    expect(parseBlob(blob)?.type).toBe(key.type)
  })
})
