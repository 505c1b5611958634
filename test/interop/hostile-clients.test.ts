import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import net from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { systemCode } from '../../src/core/errors.js'
import { HELLO_MAX_BYTES, MAX_STARTUPS } from '../../src/core/limits.js'
import { readAll } from '../helpers/bytes.js'
import { countDescriptors, residentBytes, serverOf } from '../helpers/processes.js'
import { type RunningProgram, runProgram, SSHJOB, startProgram } from '../helpers/programs.js'
import { JOB, starterSuite } from '../helpers/starter.js'

const HALF_OPEN = 1_000
const MIB = 2 ** 20

const { user, start } = starterSuite()

describe('a starter whose socket strangers reach', () => {
  const open = new Set<net.Socket>()
  let starter: RunningProgram
  let session: RunningProgram

  beforeEach(async () => {
    starter = await start()
    session = startProgram(SSHJOB, [JOB, 'echo in; cat; exit 3'], { env: user().env })
    await session.waitFor(/in/)
  })
  // Whatever they did: the session goes on, a new one is let in, and the job has not noticed.
  afterEach(async () => {
    for (const socket of open) socket.destroy()
    open.clear()
    session.child.stdin.end('still here\n')
    expect(await session.ended).toEqual({ exitCode: 3, signal: null })
    expect(session.stdout().toString()).toMatch(/^in\n(there\n)?still here\n$/)
    const next = await runProgram(SSHJOB, ['--wait=20', JOB, 'exit 4'], { env: user().env })
    expect(next).toMatchObject({ exitCode: 4 })
    starter.child.stdin.end()
    expect(await starter.ended).toEqual({ exitCode: 0, signal: null })
  })

  /** A busy machine may not have taken those before from the queue, connect(2): EAGAIN. */
  async function stranger(): Promise<net.Socket> {
    for (;;) {
      try {
        return await connectOnce()
      } catch (error) {
        if (systemCode(error) !== 'EAGAIN') throw error
        await delay(20)
      }
    }
  }
  async function connectOnce(): Promise<net.Socket> {
    const socket = net.connect(join(user().folder, 'run/sshjob', `${JOB}.sock`))
    open.add(socket)
    socket.on('error', () => socket.destroy())
    socket.once('close', () => open.delete(socket))
    await once(socket, 'connect')
    return socket
  }
  async function say(data: string | Buffer): Promise<string> {
    const socket = await stranger()
    socket.write(data)
    return (await readAll(socket)).toString()
  }

  it.each([
    ['garbage', randomBytes(100_000)],
    ['HTTP', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['a hello without an end', `sshjob-hello/1 ${'x'.repeat(HELLO_MAX_BYTES)}`],
    ['a hello of another version', 'sshjob-hello/99 {}\n'],
    ['a hello that is no JSON', 'sshjob-hello/1 {"publicKey":\n'],
    ['a key that is none', 'sshjob-hello/1 {"publicKey":"ssh-ed25519 AAAA"}\n'],
    ['SSH without a hello', 'SSH-2.0-x\r\n'],
  ])('refuses and logs %s', async (_what, data) => {
    const answer = await say(data)
    expect(answer).not.toContain('"ok":true')
    await starter.waitFor(/ code=hello-invalid /)
  })

  it('refuses a hello that takes too long', async () => {
    const socket = await stranger()
    const answer = readAll(socket)
    const drip = setInterval(() => socket.write('s'), 1_000)
    try {
      socket.write('sshjob-hello/1 {')
      expect((await answer).toString()).toMatch(/hello-timeout|^$/)
    } finally {
      clearInterval(drip)
    }
    await starter.waitFor(/code=hello-timeout/)
  })

  it(`holds out against ${HALF_OPEN} connections that say nothing`, async () => {
    const server = serverOf(starter.pid)
    const before = residentBytes(server)
    const descriptors = countDescriptors(server)
    for (let opened = 0; opened < HALF_OPEN; opened++) await stranger()
    await starter.waitFor(/too many connections that have not authenticated/)
    expect(starter.stderr().toString().split('too many connections').length - 1).toBeLessThan(10)
    // While they are there: the session passes bytes, and who comes is turned away.
    session.child.stdin.write('there\n')
    await session.waitFor(/there\n/)
    const refused = await runProgram(SSHJOB, [JOB, 'true'], { env: user().env })
    expect(refused).toMatchObject({ exitCode: 255 })
    expect(refused.stderr).toMatch(/^sshjob: /)
    // Those that wait, and those that are being told to; whoever is more than that is cut off.
    while (countDescriptors(server) > descriptors + 2 * MAX_STARTUPS) await delay(20)
    expect(residentBytes(server) - before).toBeLessThan(60 * MIB)
  })

  it('refuses a client that has another key than it named', async () => {
    // A hello in the name of another key, and then the bytes of a whole session that was recorded elsewhere.
    const key = 'AAAAC3NzaC1lZDI1NTE5AAAAIGWTFBaMHosnk9ECh4KvSbpoBvWg+mdzJkvtHgNAjPG+'
    const socket = await stranger()
    socket.write(`sshjob-hello/1 {"publicKey":"ssh-ed25519 ${key}"}\n`)
    const [answer] = await once(socket, 'data')
    expect(String(answer)).toMatch(/"ok":true/)
    socket.write(`SSH-2.0-x\r\n${randomBytes(5_000).toString('latin1')}`)
    await starter.waitFor(/code=protocol-error/)
  })
})
