import { once } from 'node:events'
import { everything, type Permissions } from '../../../src/permissions/permissions.js'
import { admitKeys } from '../../../src/server/admission.js'
import type { Rules } from '../../../src/server/rules.js'
import { serveAdmitted } from '../../../src/server/serve-admitted.js'
import { parseKey } from '../../../src/ssh/keys.js'
import { byte, MSG, Reader, string, uint32 } from '../../../src/ssh/wire.js'
import { streamPair } from '../../../src/streams/memory.js'
import { idle, type MemoryJob, memoryJob } from '../../helpers/memory-job.js'
import { isAbout, rawPeer, sessionKeys, transcript } from '../../helpers/raw-peer.js'

const ALL: Rules = { permissions: [everything('the test')] }
const without = (less: Partial<Permissions>): Rules => ({
  permissions: [everything('one'), { ...everything('another'), ...less }],
})

/** A job served by these rules, and a client that has authenticated. */
async function admitted(rules: Partial<Rules>, job: MemoryJob = memoryJob(idle)) {
  const keys = sessionKeys()
  const [serverStream, clientStream] = streamPair()
  const key = parseKey(keys.server.clientPublicKey)
  const simple = admitKeys([parseKey(keys.server.hostPrivateKey)], [key], ALL)
  const admission = {
    ...simple,
    login: (user: string) => {
      const login = simple.login(user)
      return {
        banner: 'a banner\n',
        authorize: (offered: Parameters<typeof login.authorize>[0]) => {
          const granted = login.authorize(offered)
          return granted && { ...granted, ...rules }
        },
      }
    },
  }
  const served = serveAdmitted(serverStream, job, admission, {})
  const peer = await rawPeer(clientStream, keys.client)
  return {
    job,
    served,
    peer,
    clientStream,
    async close() {
      peer.transport.close()
      await served.closed
    },
  }
}

const exec = string
const TERMINAL = [string('xterm'), ...[0, 0, 0, 0].map(uint32), string('')]

describe('rules of a client', () => {
  it('begin with a banner, before it is in', async () => {
    const session = await admitted({})
    const [banner, success] = [53, 52].map((type) =>
      session.peer.messages.findIndex((message) => message[0] === type),
    )
    expect(banner).toBeGreaterThanOrEqual(0)
    expect(success).toBeGreaterThan(banner ?? 0)
    expect(new Reader(session.peer.messages[banner ?? 0] ?? Buffer.alloc(0), 1).text()).toBe('a banner\n')
    await session.close()
  })

  it.each([
    ['at once', false],
    ['once it is written down who they are', true],
  ])(
    'limit sessions that are opened %s, and let another in when one has closed',
    async (_, authenticationInfo) => {
      const session = await admitted({ maxSessions: 1, authenticationInfo })
      const { peer } = session
      const opening = peer.open(0)
      await expect(
        Promise.race([peer.open(1), peer.waitFor((m) => isAbout(m, MSG.CHANNEL_OPEN_FAILURE, 1))]),
      ).resolves.toBeInstanceOf(Buffer)
      const first = await opening
      peer.send(byte(MSG.CHANNEL_CLOSE), uint32(first))
      expect(await peer.open(2)).toBeGreaterThanOrEqual(0)
      await session.close()
    },
  )

  it('force a command, and say what was asked for, whatever the client set', async () => {
    const session = await admitted({ forced: { kind: 'command', command: 'forced' } })
    const { peer, job } = session
    const requests: [string, Buffer[], string | undefined][] = [
      ['exec', [exec('mine')], 'mine'],
      ['shell', [], undefined],
      ['subsystem', [string('sftp')], 'internal-sftp'],
    ]
    for (const [index, [name, data, original]] of requests.entries()) {
      const channel = await peer.open(index)
      await peer.request(channel, 'env', string('SSH_ORIGINAL_COMMAND'), string('a lie'))
      expect(await peer.request(channel, name, ...data)).toBe(true)
      const request = job.processes[index]?.request
      expect(request?.command?.toString()).toBe('forced')
      expect(request?.environment.get('SSH_ORIGINAL_COMMAND')?.toString()).toBe(original)
    }
    await session.close()
  })

  it('set nothing over what the server says itself, as with sshd', async () => {
    const environment = { SSH_CONNECTION: 'a lie', LANG: 'C.UTF-8' }
    const session = await admitted({ environment })
    const channel = await session.peer.open(0)
    await session.peer.request(channel, 'env', string('LANG'), string('de_DE'))
    await session.peer.request(channel, 'exec', exec('x'))
    const found = session.job.processes[0]?.request.environment
    expect(found?.get('SSH_CONNECTION')?.toString()).toBe('UNKNOWN 65535 UNKNOWN 65535')
    expect(found?.get('LANG')?.toString()).toBe('C.UTF-8')
    await session.close()
  })

  it('serve files alone, where they are forced', async () => {
    const session = await admitted({ forced: { kind: 'files' } })
    const channel = await session.peer.open(0)
    expect(await session.peer.request(channel, 'exec', exec('mine'))).toBe(true)
    await session.peer.waitFor((message) => isAbout(message, MSG.CHANNEL_CLOSE, 0))
    expect(transcript(session.peer.messages, 0)).toEqual([
      'stderr This service allows sftp connections only.\n',
      'success',
      'exit-status 1',
      'eof',
      'close',
    ])
    expect(session.job.processes).toEqual([])
    await session.close()
  })

  it('choose the variables that a client sets, and set others over them', async () => {
    const session = await admitted({
      acceptedVariables: ['A*'],
      environment: { AB: 'ours' },
    })
    const { peer, job } = session
    const channel = await peer.open(0)
    expect(await peer.request(channel, 'env', string('AA'), string('a'))).toBe(true)
    expect(await peer.request(channel, 'env', string('AB'), string('b'))).toBe(true)
    expect(await peer.request(channel, 'env', string('B'), string('c'))).toBe(false)
    await peer.request(channel, 'exec', exec('x'))
    const environment = job.processes[0]?.request.environment
    expect(['AA', 'AB', 'B'].map((name) => environment?.get(name)?.toString())).toEqual([
      'a',
      'ours',
      undefined,
    ])
    await session.close()
  })

  it('refuse terminals', async () => {
    const session = await admitted(without({ terminal: false }))
    const channel = await session.peer.open(0)
    expect(await session.peer.request(channel, 'pty-req', ...TERMINAL)).toBe(false)
    await session.close()
  })

  it.each<[keyof Permissions, string, Buffer[], string]>([
    ['shell', 'shell', [], 'sshjob-server: another allows no shells.\n'],
    ['exec', 'exec', [exec('mine')], 'sshjob-server: another allows no commands.\n'],
    ['sftp', 'subsystem', [string('sftp')], 'sshjob-server: another allows no file transfer.\n'],
    ['terminal', 'pty-req', TERMINAL, 'sshjob-server: another allows no terminals.\n'],
  ])(
    'refuse what one of the permissions lacks, with a sentence: %s',
    async (permission, name, data, sentence) => {
      const session = await admitted(without({ [permission]: false }))
      const channel = await session.peer.open(0)
      expect(await session.peer.request(channel, name, ...data)).toBe(false)
      expect(transcript(session.peer.messages, 0)).toEqual([`stderr ${sentence}`, 'failure'])
      expect(session.job.processes).toEqual([])
      await session.close()
    },
  )

  it('let who may watch only do nothing else', async () => {
    const session = await admitted(without({ watchOnly: true }))
    const { peer } = session
    const channel = await peer.open(0)
    const refused = [
      await peer.request(channel, 'shell'),
      await peer.request(channel, 'exec', exec('mine')),
      await peer.request(channel, 'subsystem', string('sftp')),
      await peer.request(channel, 'auth-agent-req@openssh.com'),
    ]
    expect(refused).toEqual([false, false, false, false])
    expect(transcript(peer.messages, 0)[0]).toBe('stderr sshjob-server: another allows to watch only.\n')
    await session.close()
  })

  it('let nobody in any more once they have expired, and leave in whoever is', async () => {
    const expires = Date.now() + 1_000
    const session = await admitted(without({ expires }))
    while (Date.now() < expires) await new Promise((resolve) => setTimeout(resolve, 50))
    expect(await session.peer.open(0)).toBeGreaterThanOrEqual(0)
    await session.close()
    await expect(admitted(without({ expires }))).rejects.toMatchObject({ code: 'authentication-failed' })
  })

  it('ask a silent client whether it is there, and give it up', async () => {
    const session = await admitted({ keepAlive: { intervalMs: 20, countMax: 2 } })
    await session.peer.waitFor((message) => message[0] === MSG.GLOBAL_REQUEST)
    // The raw peer answers nothing: its messages are for the test alone.
    expect(await session.served.closed).toMatchObject({
      code: 'connection-lost',
      message: 'The client does not answer any more.',
    })
  })

  it('end a connection that nobody uses, and none with a channel', async () => {
    const session = await admitted({ unusedMs: 200 })
    await session.peer.open(0)
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(session.peer.transport.closed).toBe(false)
    session.peer.send(byte(MSG.CHANNEL_CLOSE), uint32(0))
    expect(await session.served.closed).toMatchObject({ code: 'idle-timeout' })
  })

  it('end with a client that changes its name in the middle', async () => {
    const keys = sessionKeys()
    const [serverStream, clientStream] = streamPair()
    const admission = admitKeys(
      [parseKey(keys.server.hostPrivateKey)],
      [parseKey(keys.server.clientPublicKey)],
      ALL,
    )
    const served = serveAdmitted(serverStream, memoryJob(idle), admission, {})
    const peer = await rawPeer(clientStream, { ...keys.client, authenticate: false })
    peer.send(byte(5), string('ssh-userauth'))
    for (const name of ['alice', 'bob'])
      peer.send(byte(50), string(name), string('ssh-connection'), string('none'))
    expect(await served.closed).toMatchObject({
      message: 'The client changed the user name while it authenticated.',
    })
    if (!clientStream.destroyed) await once(clientStream, 'close')
  })
})
