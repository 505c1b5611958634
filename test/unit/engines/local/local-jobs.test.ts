import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { statSync } from 'node:fs'
import fs from 'node:fs/promises'
import type net from 'node:net'
import type { Server, Socket } from 'node:net'
import { hostname } from 'node:os'
import path from 'node:path'
import { messageOf, SshjobError } from '../../../../src/core/errors.js'
import { SOCKET_TOUCH_MS } from '../../../../src/core/limits.js'
import { removeIfDead } from '../../../../src/engines/local/job-socket.js'
import { listenForJob, listLocalJobs, openLocalJob } from '../../../../src/engines/local/local-jobs.js'
import { answerHello, receiveClientHello, refuseHello } from '../../../../src/hello/exchange.js'
import { connectUnix, unixServer } from '../../../../src/sockets/unix.js'
import { until } from '../../../helpers/bytes.js'
import { temporaryDirectory } from '../../../helpers/temporary-directory.js'

/** Answers questions as a starter does. */
function answer(server: net.Server, id: string): void {
  server.on('connection', (socket) => {
    socket.on('error', () => socket.destroy())
    receiveClientHello(socket)
      .then(() => {
        const job = { id, host: 'h', pids: [1], user: 'u', since: new Date(0).toISOString(), command: ['c'] }
        return answerHello(socket, { ok: true, job })
      })
      .then(
        () => socket.end().resume(),
        () => socket.destroy(),
      )
  })
}

/** Leaves the socket of a process that was killed. */
async function leaveDeadSocket(file: string): Promise<void> {
  const code = `require('net').createServer().listen(${JSON.stringify(file)}, () => console.log('listening'))`
  const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await once(child, 'close')
}

describe('jobs on this machine', () => {
  const root = temporaryDirectory()
  const open: { close(): Promise<void> }[] = []
  let environment: { SSHJOB_RUNTIME_DIR: string }
  let count = 0

  beforeEach(async () => {
    count += 1
    environment = { SSHJOB_RUNTIME_DIR: path.join(root(), String(count)) }
  })

  afterEach(async () => {
    for (const socket of open.splice(0)) await socket.close()
  })

  const folder = (): string => environment.SSHJOB_RUNTIME_DIR

  async function start(id: string): Promise<string> {
    const socket = await listenForJob(id, { environment })
    open.push(socket)
    answer(socket.server, id)
    return socket.path
  }

  it('reach a server that is given, also before its listening is reported', async () => {
    const server = unixServer()
    const heard = new Promise<Socket>((resolve) => server.once('connection', resolve))
    const target = path.join(folder(), 'early.sock')
    const connect = async (): Promise<Socket> => {
      for (;;) {
        try {
          return await connectUnix(target)
        } catch {
          await new Promise((resolve) => setImmediate(resolve))
        }
      }
    }
    const [socket, client] = await Promise.all([listenForJob('early', { environment, server }), connect()])
    open.push(socket)
    ;(await heard).destroy()
    client.destroy()
  })

  it('are found by their id, and listed', async () => {
    await start('b')
    await start('a')
    const stream = await openLocalJob('a', { environment })
    stream.destroy()
    await expect(listLocalJobs({ environment })).resolves.toMatchObject([{ id: 'a' }, { id: 'b' }])
    expect((await fs.readdir(folder())).sort()).toEqual(['a.sock', 'b.sock'])
  })

  it('are not there when none was started', async () => {
    await expect(listLocalJobs({ environment })).resolves.toEqual([])
    await expect(openLocalJob('train', { environment })).rejects.toMatchObject({
      code: 'job-not-found',
      message: `No job train of yours runs on this machine (${hostname()}): \`sshjob ls\` shows those that do, and one that runs elsewhere is entered there.`,
    })
    await expect(openLocalJob('../x', { environment })).rejects.toMatchObject({ code: 'usage' })
  })

  it('can not have the id of one that runs', async () => {
    await start('a')
    await expect(listenForJob('a', { environment })).rejects.toMatchObject({ code: 'job-exists' })
    await expect(listLocalJobs({ environment })).resolves.toMatchObject([{ id: 'a' }])
    expect(await fs.readdir(folder())).toEqual(['a.sock'])
  })

  it('leave nothing behind, and take away no other starter’s socket', async () => {
    const socket = await listenForJob('a', { environment })
    await fs.rm(socket.path)
    await start('a')
    await socket.close()
    await socket.close()
    expect(await fs.readdir(folder())).toEqual(['a.sock'])
    await open.pop()?.close()
    expect(await fs.readdir(folder())).toEqual([])
  })

  it('whose starter was killed are not listed, and their socket is removed', async () => {
    const file = await start('alive')
    await leaveDeadSocket(path.join(folder(), 'dead.sock'))
    await expect(listLocalJobs({ environment })).resolves.toMatchObject([{ id: 'alive' }])
    expect(await fs.readdir(folder())).toEqual([path.basename(file)])

    await leaveDeadSocket(path.join(folder(), 'dead.sock'))
    await expect(openLocalJob('dead', { environment })).rejects.toMatchObject({ code: 'job-not-found' })
    expect(await fs.readdir(folder())).toEqual([path.basename(file)])
  })

  it('whose starter was killed give their id to a new one', async () => {
    await start('other')
    await leaveDeadSocket(path.join(folder(), 'a.sock'))
    await start('a')
    await expect(listLocalJobs({ environment })).resolves.toMatchObject([{ id: 'a' }, { id: 'other' }])
  })

  it('never get two starters, however many start at once over a dead socket', async () => {
    await start('other')
    for (let round = 0; round < 20; round++) {
      const id = `r${round}`
      await leaveDeadSocket(path.join(folder(), `${id}.sock`))
      // Each asks whether another lives: what nobody reads would never end.
      const ending = (): Server => unixServer().on('connection', (socket) => socket.destroy())
      const tries = await Promise.allSettled(
        [...Array(6)].map(() => listenForJob(id, { environment, server: ending() })),
      )
      const won = tries.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
      open.push(...won)
      expect(won).toHaveLength(1)
      for (const one of tries) {
        if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'job-exists' })
      }
      const stream = await openLocalJob(id, { environment })
      stream.destroy()
    }
  })

  it('keep a living starter’s socket, whoever wants it removed', async () => {
    const file = await start('a')
    await Promise.all([...Array(20)].map(() => removeIfDead(file)))
    await expect(listLocalJobs({ environment })).resolves.toMatchObject([{ id: 'a' }])
  })

  it('are removed also where a killed process had begun to', async () => {
    await start('other')
    const file = path.join(folder(), 'a.sock')
    await leaveDeadSocket(file)
    const claim = path.join(folder(), '.remove-a.sock')
    await fs.writeFile(claim, '')
    await removeIfDead(file)
    await expect(fs.lstat(file)).resolves.toBeDefined()
    const old = new Date(Date.now() - 60_000)
    await fs.utimes(claim, old, old)
    await removeIfDead(file)
    await expect(fs.lstat(file)).rejects.toMatchObject({ code: 'ENOENT' })
    await expect(fs.lstat(claim)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('that do not answer, or are over, are left out of the list, and stay', async () => {
    await start('good')
    const mute = await listenForJob('mute', { environment })
    mute.server.on('connection', (socket) =>
      socket
        .on('error', () => undefined)
        .once('end', () => socket.end())
        .resume(),
    )
    const over = await listenForJob('over', { environment })
    over.server.on('connection', (socket) => void refuseHello(socket, new SshjobError('job-ended', 'Over.')))
    open.push(mute, over)
    await expect(listLocalJobs({ environment, timeoutMs: 2_000 })).resolves.toMatchObject([{ id: 'good' }])
    expect(await fs.readdir(folder())).toHaveLength(3)
  })

  it('have ids that fit into the path of a socket, or say so', async () => {
    const deep = path.join(root(), 'x'.repeat(90))
    await expect(listenForJob('a', { environment: { SSHJOB_RUNTIME_DIR: deep } })).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringMatching(/has \d+ bytes, and a unix socket's may have 107\.$/),
    })
  })

  it('are in use as long as they run, whatever tidies up what is old', async () => {
    jest.useFakeTimers({
      now: Date.now(),
      doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'setTimeout'],
    })
    try {
      const file = await start('a')
      const old = new Date(Date.now() - 9 * 24 * 60 * 60_000)
      await fs.utimes(file, old, old)
      jest.advanceTimersByTime(SOCKET_TOUCH_MS)
      await until(() => statSync(file).mtimeMs > old.getTime() + SOCKET_TOUCH_MS)
    } finally {
      jest.useRealTimers()
    }
  })

  it('are told by the nearest name, where else they may be, or what was left out', async () => {
    await start('train')
    const host = `No job %s of yours runs on this machine (${hostname()})`
    const message = async (id: string, elsewhere?: string): Promise<string> => {
      const error: unknown = await openLocalJob(id, { environment, elsewhere }).catch(
        (reason: unknown) => reason,
      )
      return messageOf(error).replace(host.replace('%s', id), '')
    }
    expect(await message('tarin')).toBe('. Did you mean train?')
    expect(await message('evaluate')).toMatch(/^: `sshjob ls` shows /)
    expect(await message('1138.0', 'the engine of such jobs is not here')).toBe(
      ', and the engine of such jobs is not here.',
    )
    await fs.chmod(folder(), 0o750)
    expect(await message('train')).toContain(
      ` The folder ${folder()} was left out: others have access to it (mode 750; \`chmod 700\` mends that).`,
    )
    await fs.chmod(folder(), 0o700)
  })

  it('are not mixed up with other files', async () => {
    await start('good')
    await fs.writeFile(path.join(folder(), 'file.sock'), '')
    await fs.writeFile(path.join(folder(), 'note'), '')
    await expect(listLocalJobs({ environment })).resolves.toMatchObject([{ id: 'good' }])
    await expect(listenForJob('file', { environment })).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('there is a file of that name'),
    })
  })
})
