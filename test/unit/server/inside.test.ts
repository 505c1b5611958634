import type { Duplex } from 'node:stream'
import type { JobAddress, JobInside, JobListenAt } from '../../../src/job/inside.js'
import { boolean, string, uint32 } from '../../../src/ssh/wire.js'
import { streamPair } from '../../../src/streams/memory.js'
import { collect } from '../../helpers/loopback.js'
import { idle, memoryJob, outsideJob } from '../../helpers/memory-job.js'
import { rawSession, sessionPair } from '../../helpers/session-pair.js'

const WHY = 'This job offers neither its files nor its network to sessions.'
const X11 = [boolean(false), string('MIT-MAGIC-COOKIE-1'), string('00ff'), uint32(0)]

describe('a job that offers nothing beside its processes', () => {
  it('is connected to nowhere, with a sentence', async () => {
    const { client, close } = await sessionPair({ job: outsideJob(idle) })
    for (const opening of [client.openTcp('localhost', 22), client.openUnix('/run/x')])
      await expect(opening).rejects.toMatchObject({
        code: 'channel-refused',
        message: expect.stringContaining(WHY),
      })
    for (const at of [{ port: 0 }, { path: '/tmp/x' }])
      await expect(client.forwardRemote(at, { path: '/y' })).rejects.toMatchObject({
        code: 'request-refused',
      })
    await close()
  })

  it('gives no session an agent, a display, or a file that says how its client authenticated', async () => {
    const job = outsideJob(idle)
    const session = await rawSession(job)
    const channel = await session.peer.open()
    expect(await session.peer.request(channel, 'auth-agent-req@openssh.com')).toBe(false)
    expect(await session.peer.request(channel, 'x11-req', ...X11)).toBe(false)
    expect(await session.peer.request(channel, 'exec', string('x'))).toBe(true)
    const names = [...(job.processes[0]?.request.environment.keys() ?? [])]
    expect(names).toEqual(['SSH_CONNECTION', 'SSH_CLIENT'])
    await session.close()
  })
})

/** A job that is nowhere: what is connected to answers with where that was. */
function imaginary() {
  const asked: (JobAddress | JobListenAt | string)[] = []
  const inside: JobInside = {
    files: async () => {
      throw new Error('there are none')
    },
    async connect(to) {
      asked.push(to)
      const [near, far] = streamPair()
      far.end(JSON.stringify(to))
      return near
    },
    async listen(at, onConnection) {
      asked.push(at)
      const [near, far] = streamPair()
      setImmediate(() => onConnection(near, { address: '192.0.2.7', port: 7 }))
      far.end('from the job')
      return { port: 4_711, host: 'imaginary', close: async () => void asked.push('closed') }
    },
    async temporary(name) {
      asked.push(`${name}`)
      return {
        path: '/imaginary',
        write: async (file) => `/imaginary/${file}`,
        remove: async () => void asked.push('removed'),
      }
    },
  }
  let connections = 0
  const job = {
    ...memoryJob(idle),
    inside: () => {
      connections++
      return inside
    },
  }
  return { asked, job, connections: () => connections }
}

describe('what a job offers beside its processes', () => {
  it('is all that is connected to and listened on, once for each connection', async () => {
    const { asked, job, connections } = imaginary()
    const { client, close } = await sessionPair({ job })
    const read = async (stream: Duplex): Promise<string> => (await collect(stream)).toString()
    expect(await read(await client.openTcp('db', 5_432))).toBe('{"host":"db","port":5432}')
    expect(await read(await client.openUnix('/run/db'))).toBe('{"path":"/run/db"}')
    const forwarding = await client.forwardRemote({ port: 0 }, { host: 'localhost', port: 1 })
    expect(forwarding.address).toMatchObject({ port: 4_711 })
    await forwarding.close()
    await close()
    expect(asked).toEqual([
      { host: 'db', port: 5_432 },
      { path: '/run/db' },
      { port: 0, on: 'loopback' },
      'closed',
    ])
    expect(connections()).toBe(1)
  })

  it('is where a session finds its agent and its display', async () => {
    const { asked, job } = imaginary()
    const session = await rawSession(job)
    const channel = await session.peer.open()
    expect(await session.peer.request(channel, 'auth-agent-req@openssh.com')).toBe(true)
    expect(await session.peer.request(channel, 'x11-req', ...X11)).toBe(true)
    await session.peer.request(channel, 'exec', string('x'))
    const { environment } = job.processes[0]?.request ?? {}
    const found = ['SSH_AUTH_SOCK', 'DISPLAY', 'XAUTHORITY'].map((name) => environment?.get(name)?.toString())
    expect(found).toEqual(['/imaginary/agent', 'imaginary:10.0', '/imaginary/Xauthority'])
    await session.close()
    expect(asked.slice(0, 4)).toEqual([
      'agent',
      { path: '/imaginary/agent' },
      'Xauthority',
      { display: 10, on: 'loopback' },
    ])
    expect(asked.slice(4).sort()).toEqual(['closed', 'closed', 'removed', 'removed'])
  })

  it('may fail, with its own words', async () => {
    const { client, close } = await sessionPair({ job: imaginary().job })
    await expect(client.subsystem('sftp')).rejects.toMatchObject({ message: 'there are none' })
    await close()
  })
})
