import { once } from 'node:events'
import path from 'node:path'
import { connect } from '../../../src/client/connect.js'
import { everything } from '../../../src/permissions/permissions.js'
import { listenUnix } from '../../../src/sockets/listen-unix.js'
import { connectUnix } from '../../../src/sockets/unix.js'
import { generateEcdsaKey, generateKey } from '../../../src/ssh/keys.js'
import { acceptFrom } from '../../../src/starter/accept-from.js'
import { type Handover, makeHandover, parseHandover } from '../../../src/starter/handover.js'
import { jobEnded } from '../../../src/starter/job-end.js'
import { serveHandover } from '../../../src/starter/serve-handover.js'
import { startStarter } from '../../../src/starter/starter.js'
import { streamPair } from '../../../src/streams/memory.js'
import { testJob } from '../../helpers/job-session.js'
import { idle, memoryJob } from '../../helpers/memory-job.js'
import { serveInWorker } from '../../helpers/serve-in-worker.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

const own = generateKey()
const RULES = {
  permissions: [{ ...everything('the test'), expires: 4e12 }],
  forced: { kind: 'command', command: 'x' },
  environment: { A: 'b' },
  acceptedVariables: ['LC_*'],
  subsystems: { sftp: { kind: 'files', directory: '/x' }, other: { kind: 'command', command: 'y' } },
  keepAlive: { intervalMs: 1_000, countMax: 3 },
  displays: { offset: 10, localhost: true },
  gatewayPorts: 'no',
} as const
const SETTINGS = { shells: ['zsh'], idleTimeoutMs: 0, motd: false, peer: '192.0.2.7 1 192.0.2.1 22' } as const
const make = (): Handover =>
  makeHandover(
    { publicKey: own.publicKey, morePublicKeys: ['ssh-ofthefuture AAAA', generateEcdsaKey().publicKey] },
    { job: memoryJob(idle), rules: RULES, settings: SETTINGS },
  )

describe('a handover', () => {
  it('is the same after its way through JSON', () => {
    const handover = make()
    expect(parseHandover(JSON.stringify(handover))).toEqual(handover)
    expect(handover.clientKeys).toHaveLength(3)
    expect(handover.hostKeys).toHaveLength(2)
  })

  it('has one host key for a client that knows of no others', () => {
    const { hostKeys } = makeHandover(
      { publicKey: own.publicKey },
      { job: memoryJob(idle), rules: RULES, settings: {} },
    )
    expect(hostKeys).toHaveLength(1)
  })

  it.each<[string, (handover: Handover) => object, string]>([
    ['without keys', (handover) => ({ ...handover, clientKeys: [] }), 'handover.clientKeys is empty'],
    [
      'with nobody’s permissions, which would refuse nothing',
      (handover) => ({ ...handover, rules: { ...handover.rules, permissions: [] } }),
      'handover.rules.permissions is empty',
    ],
    [
      'with a permission that is not said',
      (handover) => ({ ...handover, rules: { permissions: [{ ...RULES.permissions[0], x11: undefined }] } }),
      'handover.rules.permissions[0].x11 has to be true or false; it is missing',
    ],
    [
      'with a rule that is not known here, and might restrict',
      (handover) => ({ ...handover, rules: { ...handover.rules, maxSpeed: 7 } }),
      "handover.rules has no 'maxSpeed'; what it may have: ",
    ],
  ])('%s is none', (_, change, why) => {
    expect(() => parseHandover(JSON.stringify(change(make())))).toThrow(
      expect.objectContaining({
        code: 'usage',
        message: expect.stringContaining(`This is no handover: ${why}`),
      }),
    )
  })

  it('that can not be read shows nothing of its keys', () => {
    expect(() => parseHandover('{"hostKeys":["secret')).toThrow('The handover is not valid JSON.')
  })

  it('is served, once its client has been answered', async () => {
    const [serverStream, clientStream] = streamPair()
    const handover = makeHandover(
      { publicKey: own.publicKey },
      { job: testJob(), rules: { permissions: [everything('the test')] }, settings: SETTINGS },
    )
    const served = serveHandover(serverStream, testJob(), parseHandover(JSON.stringify(handover)))
    const [line] = await once(clientStream, 'data')
    expect(String(line)).toContain('"ok":true')
    clientStream.destroy()
    expect(await served.closed).toMatchObject({ code: 'connection-lost' })
  })
})

describe('a worker that gets the handover on descriptor 3', () => {
  const directory = temporaryDirectory()

  it('serves the connection, of which nothing is lost', async () => {
    const server = await listenUnix(path.join(directory(), 's'))
    const starter = startStarter({
      serve: serveInWorker(),
      admit: (_hello, { path: way }) => ({
        permissions: [everything('the test')],
        environment: { WAY: way },
      }),
    })
    acceptFrom(server, starter, { path: 'unix', peer: '192.0.2.7 1 192.0.2.1 22' })
    starter.begin(testJob())
    const connection = await connect(await connectUnix(path.join(directory(), 's')))
    const said = await connection.exec('echo $WAY $SSH_CONNECTION; echo $PPID; cat', {
      stdin: Buffer.alloc(5_000_000, 'x'),
    })
    const { stdout } = await said.output()
    const [first, parent, rest] = stdout.toString('latin1').split('\n')
    expect(first).toBe('unix 192.0.2.7 1 192.0.2.1 22')
    expect(Number(parent)).not.toBe(process.pid)
    expect(rest).toHaveLength(5_000_000)
    await connection.close()
    await starter.finish(jobEnded('test', { exitCode: 0 }))
    server.close()
  })
})
