import { generateKeyPairSync } from 'node:crypto'
import { MAX_AUTH_TRIES } from '../../../src/core/limits.js'
import { generateKey, generateRsaKey, parseKey } from '../../../src/ssh/keys.js'
import { boolean, byte, MSG, Reader, string } from '../../../src/ssh/wire.js'
import { serve } from '../../../src/starter/serve.js'
import { streamPair } from '../../../src/streams/memory.js'
import { idle, memoryJob } from '../../helpers/memory-job.js'
import { rawPeer, sessionKeys } from '../../helpers/raw-peer.js'
import { type RawSession, rawSession } from '../../helpers/session-pair.js'

const SERVICE_REQUEST = 5
const SERVICE_ACCEPT = 6
const USERAUTH_REQUEST = 50
const USERAUTH_FAILURE = 51
const USERAUTH_SUCCESS = 52
const USERAUTH_PK_OK = 60

const keys = sessionKeys()
const ed25519 = string('ssh-ed25519')
const blobOf = (privateKey: string): Buffer => parseKey(privateKey).getPublicSSH()
const rightBlob = blobOf(keys.client.privateKey)
const wrongKey = generateKey()

let session: RawSession

/** A peer that has exchanged keys and asked for the service, and no more. */
beforeEach(async () => {
  session = await rawSession(
    memoryJob(idle),
    { credentials: keys.server },
    { ...keys.client, authenticate: false },
  )
  session.peer.send(byte(SERVICE_REQUEST), string('ssh-userauth'))
})
afterEach(() => session.close())

async function ask(method: string, ...data: Buffer[]): Promise<Buffer> {
  const before = session.peer.messages.length
  const request = [
    byte(USERAUTH_REQUEST),
    string('anyone'),
    string('ssh-connection'),
    string(method),
    ...data,
  ]
  session.peer.send(...request)
  return session.peer.waitFor(
    (message) => session.peer.messages.indexOf(message) >= before && (message[0] ?? 0) >= USERAUTH_FAILURE,
  )
}

function expectRefusal(answer: Buffer): void {
  const reader = new Reader(answer)
  expect([reader.byte(), reader.text(), reader.boolean()]).toEqual([USERAUTH_FAILURE, 'publickey', false])
}

describe('authentication by the server', () => {
  it('answers none with the list of methods: publickey', async () => {
    expectRefusal(await ask('none'))
    expect(session.served.authenticated).toBe(false)
  })

  it.each<[string, Buffer[]]>([
    ['password', [boolean(false), string('secret')]],
    ['keyboard-interactive', [string(''), string('')]],
    ['hostbased', [ed25519, string(rightBlob), string('host'), string('user'), string('signature')]],
    ['publickey', [boolean(false), ed25519, string(blobOf(wrongKey.privateKey))]],
    ['publickey', [boolean(true), ed25519, string(rightBlob), string(Buffer.alloc(83))]],
    ['publickey', [boolean(false), string(''), string('')]],
    ['invented@example.org', [string('data')]],
  ])('refuses %s %#', async (method, data) => {
    expectRefusal(await ask(method, ...data))
    expect(session.served.authenticated).toBe(false)
  })

  it('cuts the client off after too many failures', async () => {
    for (let i = 1; i < MAX_AUTH_TRIES; i++) expectRefusal(await ask('password', boolean(false), string('a')))
    session.peer.send(
      byte(USERAUTH_REQUEST),
      string('anyone'),
      string('ssh-connection'),
      string('password'),
      boolean(false),
      string('a'),
    )
    expect(await session.served.closed).toMatchObject({
      code: 'authentication-failed',
      message: 'Too many failed attempts to authenticate.',
    })
  })

  it("survives a signature of a type that is not the key's", async () => {
    session.peer.send(
      byte(USERAUTH_REQUEST),
      string('u'),
      string('ssh-connection'),
      string('publickey'),
      boolean(true),
      string('ssh-dss'),
      string(rightBlob),
      string(''),
    )
    expect(await session.served.closed).toMatchObject({ code: 'protocol-error' })
    expect(session.served.authenticated).toBe(false)
  })

  it('does not count none among the failures: it is how a client asks for the methods', async () => {
    for (let i = 0; i <= MAX_AUTH_TRIES; i++) expectRefusal(await ask('none'))
    for (let i = 1; i < MAX_AUTH_TRIES; i++) expectRefusal(await ask('password', boolean(false), string('a')))
  })

  it('cuts off a client that becomes another user while it authenticates', async () => {
    expectRefusal(await ask('none'))
    session.peer.send(byte(USERAUTH_REQUEST), string('another'), string('ssh-connection'), string('none'))
    expect(await session.served.closed).toMatchObject({
      code: 'protocol-error',
      message: 'The client changed the user name while it authenticated.',
    })
    expect(session.served.authenticated).toBe(false)
  })

  /** A request that the right key has signed. */
  function signed(user: string, service: string): Buffer {
    const key = parseKey(keys.client.privateKey)
    const request = Buffer.concat([
      ...[byte(USERAUTH_REQUEST), string(user), string(service), string('publickey')],
      ...[boolean(true), ed25519, string(key.getPublicSSH())],
    ])
    const sessionId = session.peer.transport.packets.sessionId ?? Buffer.alloc(0)
    const signature = key.sign(Buffer.concat([string(sessionId), request]))
    if (signature instanceof Error) throw signature
    return Buffer.concat([request, string(Buffer.concat([ed25519, string(signature)]))])
  }

  it.each([
    ['ssh-connection', USERAUTH_SUCCESS],
    ['ssh-mail', USERAUTH_FAILURE],
    ['', USERAUTH_FAILURE],
  ])('lets the right key in for %j: message %i', async (service, expected) => {
    session.peer.send(signed('anyone', service))
    const [answer] = await session.peer.waitFor(([type = 0]) => type >= USERAUTH_FAILURE)
    expect(answer).toBe(expected)
    expect(session.served.authenticated).toBe(expected === USERAUTH_SUCCESS)
  })

  it('says nothing before the answer where it has no banner', async () => {
    expectRefusal(await ask('none'))
    expect(session.peer.messages.filter(([type]) => type === MSG.USERAUTH_BANNER)).toEqual([])
  })

  it.each(['ssh-mail', 'ssh-connection', ''])('refuses the service %j to who is not in', async (service) => {
    session.peer.send(byte(SERVICE_REQUEST), string(service))
    expect(await session.served.closed).toMatchObject({
      code: 'protocol-error',
      message: 'The client asked for a service that there is not.',
    })
  })

  it('accepts the service of connections, and no other, from who is in', async () => {
    session.peer.send(signed('anyone', 'ssh-connection'))
    await session.peer.waitFor(([type]) => type === USERAUTH_SUCCESS)
    session.peer.send(byte(SERVICE_REQUEST), string('ssh-connection'))
    const accepts = (message: Buffer): boolean =>
      message[0] === SERVICE_ACCEPT && new Reader(message, 1).text() === 'ssh-connection'
    await session.peer.waitFor(accepts)
    session.peer.send(byte(SERVICE_REQUEST), string('ssh-mail'))
    expect(await session.served.closed).toMatchObject({
      code: 'protocol-error',
      message: 'The client asked for a service that there is not.',
    })
  })

  it.each([MSG.GLOBAL_REQUEST, MSG.CHANNEL_OPEN, MSG.CHANNEL_REQUEST, 200])(
    'cuts off a client that sends message %i before it is in',
    async (type) => {
      session.peer.send(byte(type), string('session'), Buffer.alloc(12))
      expect(await session.served.closed).toMatchObject({ code: 'protocol-error' })
    },
  )
})

describe('authentication with the key of the session', () => {
  const connectWith = async (privateKey: string, username = 'user') => {
    const [serverStream, clientStream] = streamPair()
    const served = serve(serverStream, memoryJob(idle), { credentials: keys.server })
    const { hostKey } = keys.client
    return { served, peer: rawPeer(clientStream, { privateKey, hostKey, username }) }
  }

  it.each(['user', 'root', '', 'nobody; rm', 'ü'.repeat(1000)])(
    'does not look at the user name %p',
    async (name) => {
      const { served, peer } = await connectWith(keys.client.privateKey, name)
      const { transport } = await peer
      expect(served.authenticated).toBe(true)
      transport.close()
      await served.closed
    },
  )

  it('says PK_OK to a probe without a signature, and lets nobody in for it', async () => {
    const [serverStream, clientStream] = streamPair()
    const served = serve(serverStream, memoryJob(idle), { credentials: keys.server })
    const peer = await rawPeer(clientStream, { ...keys.client, authenticate: false })
    peer.send(byte(SERVICE_REQUEST), string('ssh-userauth'))
    peer.send(
      byte(USERAUTH_REQUEST),
      string('u'),
      string('ssh-connection'),
      string('publickey'),
      boolean(false),
      ed25519,
      string(rightBlob),
    )
    const answer = await peer.waitFor((message) => message[0] === USERAUTH_PK_OK)
    expect(answer.subarray(1)).toEqual(Buffer.concat([ed25519, string(rightBlob)]))
    expect(served.authenticated).toBe(false)
    peer.transport.close()
    await served.closed
  })

  it('fails with another key, and tells the client so', async () => {
    const { served, peer } = await connectWith(wrongKey.privateKey)
    await expect(peer).rejects.toMatchObject({
      code: 'authentication-failed',
      message: 'The server did not accept the key of this session. Try again.',
    })
    await served.closed
    expect(served.authenticated).toBe(false)
  })

  it('ignores, and does not collect, requests that come after the success', async () => {
    const { served, peer } = await connectWith(keys.client.privateKey)
    const { send, open, messages, transport } = await peer
    for (let i = 0; i < 1000; i++) {
      send(byte(USERAUTH_REQUEST), string('u'), string('ssh-connection'), string(`method${i}`), string(''))
      send(byte(USERAUTH_SUCCESS))
    }
    send(byte(USERAUTH_REQUEST)) // not even well-formed: nobody looks
    await open()
    expect(messages.filter((message) => message[0] === USERAUTH_FAILURE)).toEqual([])
    transport.close()
    expect(await served.closed).toMatchObject({ code: 'connection-closed' })
  })
})

describe('authentication with RSA keys, which some engines make', () => {
  const makeRsa = (): string =>
    generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'pkcs1', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    }).privateKey
  const [host, client] = [makeRsa(), makeRsa()]
  const publicOf = (privateKey: string): string => `ssh-rsa ${blobOf(privateKey).toString('base64')}`
  const serveRsa = () => {
    const [serverStream, clientStream] = streamPair()
    const credentials = { hostPrivateKey: host, clientPublicKey: publicOf(client) }
    return { clientStream, served: serve(serverStream, memoryJob(idle), { credentials }) }
  }

  it('works, with SHA-2 on both sides', async () => {
    const { clientStream, served } = serveRsa()
    const peer = await rawPeer(clientStream, { privateKey: client, hostKey: publicOf(host) })
    expect(served.authenticated).toBe(true)
    peer.transport.close()
    await served.closed
  })

  it('names the algorithm in PK_OK as the client did, and refuses signatures with SHA-1', async () => {
    const { clientStream, served } = serveRsa()
    const peer = await rawPeer(clientStream, {
      privateKey: client,
      hostKey: publicOf(host),
      authenticate: false,
    })
    peer.send(byte(SERVICE_REQUEST), string('ssh-userauth'))
    const head = [byte(USERAUTH_REQUEST), string('u'), string('ssh-connection'), string('publickey')]
    const blob = string(blobOf(client))
    peer.send(...head, boolean(false), string('rsa-sha2-512'), blob)
    const answer = await peer.waitFor((message) => message[0] === USERAUTH_PK_OK)
    expect(new Reader(answer, 1).text()).toBe('rsa-sha2-512')

    const request = [...head, boolean(true), string('ssh-rsa'), blob]
    const sessionId = peer.transport.packets.sessionId ?? Buffer.alloc(0)
    const signature = parseKey(client).sign(Buffer.concat([string(sessionId), ...request]), 'sha1')
    if (signature instanceof Error) throw signature
    peer.send(...request, string(Buffer.concat([string('ssh-rsa'), string(signature)])))
    await peer.waitFor((message) => message[0] === USERAUTH_FAILURE)
    expect(served.authenticated).toBe(false)
    peer.transport.close()
    await served.closed
  })
})

describe('the name of an algorithm', () => {
  it("is the key's: an RSA key does not sign with SHA-1 by calling itself another", async () => {
    const [host, client] = [generateKey(), generateRsaKey(2_048)]
    const credentials = { hostPrivateKey: host.privateKey, clientPublicKey: client.publicKey }
    const [serverStream, clientStream] = streamPair()
    const served = serve(serverStream, memoryJob(idle), { credentials })
    const peer = await rawPeer(clientStream, {
      privateKey: client.privateKey,
      hostKey: host.publicKey,
      authenticate: false,
    })
    const key = parseKey(client.privateKey)
    const request = [
      ...[byte(USERAUTH_REQUEST), string('u'), string('ssh-connection'), string('publickey'), boolean(true)],
      ...[ed25519, string(key.getPublicSSH())],
    ]
    const sessionId = peer.transport.packets.sessionId ?? Buffer.alloc(0)
    const signature = key.sign(Buffer.concat([string(sessionId), ...request]), 'sha1')
    if (signature instanceof Error) throw signature
    peer.send(byte(SERVICE_REQUEST), string('ssh-userauth'))
    peer.send(...request, string(Buffer.concat([ed25519, string(signature)])))
    const answer = await peer.waitFor(([type]) => type === USERAUTH_FAILURE || type === USERAUTH_SUCCESS)
    expect(answer[0]).toBe(USERAUTH_FAILURE)
    peer.transport.close()
    await served.closed
  })
})
