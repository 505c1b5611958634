import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import fs from 'node:fs'
import { join } from 'node:path'
import { connect } from '../../src/client/connect.js'
import type { JobConnection } from '../../src/client/types.js'
import { THREADS_SERVING } from '../../src/core/limits.js'
import { connectUnix } from '../../src/sockets/unix.js'
import { type FuseMount, mountFuse } from '../helpers/fuse.js'
import { describeWithFuse } from '../helpers/needs.js'
import { type RunningProgram, startProgram } from '../helpers/programs.js'
import { collect, echoSocket, serveSockets } from '../helpers/sockets.js'
import { temporaryDirectory } from '../helpers/temporary-directory.js'

const helper = (name: string): string[] => [
  '--import',
  './test/helpers/register-typescript.mjs',
  `test/helpers/${name}.ts`,
]

describeWithFuse('a file system that does not answer', () => {
  const directory = temporaryDirectory()
  const open: JobConnection[] = []
  let socket: string
  let fuse: FuseMount
  let server: RunningProgram

  beforeEach(async () => {
    fuse = await mountFuse(join(fs.mkdtempSync(join(directory(), 'm-')), 'hung'))
    socket = join(directory(), 'socket')
    server = start('impatient-starter', socket)
    await server.waitFor(/listening/)
  })
  afterEach(async () => {
    await Promise.all(open.splice(0).map((connection) => connection.close()))
    server.child.stdin.end()
    // Whatever its threads wait for.
    expect(await server.ended).toEqual({ exitCode: 7, signal: null })
    fs.rmSync(socket)
    await fuse.end()
  })

  function start(program: string, ...args: string[]): RunningProgram {
    const env = { ...process.env, UV_THREADPOOL_SIZE: String(THREADS_SERVING), XDG_RUNTIME_DIR: directory() }
    return startProgram(...fuse.within(process.execPath, ...helper(program), ...args), { env })
  }

  async function enter(): Promise<JobConnection> {
    const connection = await connect(await connectUnix(socket))
    open.push(connection)
    return connection
  }

  const hung = (name = 'file'): string => join(fuse.inside, name)
  const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
    promise.then(
      () => undefined,
      (error) => error,
    )
  const notAnswering = (path: string) => ({
    code: 'file-failed',
    message: `${path} in the job: The file system of ${path} does not answer.`,
  })

  /** What a session does elsewhere. */
  async function expectFiles({ files }: JobConnection): Promise<void> {
    await files.writeFile(join(directory(), 'alive'), 'alive')
    expect((await files.readFile(join(directory(), 'alive'))).toString()).toBe('alive')
    expect((await files.readdir(directory())).map(({ name }) => name)).toContain('alive')
  }

  async function expectForwards(connection: JobConnection): Promise<void> {
    const { port } = await serveSockets(echoSocket)
    const path = join(directory(), `alive-${randomBytes(4).toString('hex')}`)
    const forwarding = await connection.forwardRemote({ path }, { host: '127.0.0.1', port })
    for (const stream of [await connection.openTcp('localhost', port), await connection.openUnix(path)]) {
      stream.end('alive')
      expect((await collect(stream)).toString()).toBe('alive')
    }
    await forwarding.close()
    expect(fs.existsSync(path)).toBe(false)
  }

  async function expectCommand(connection: JobConnection): Promise<void> {
    const { stdout } = await (await connection.exec('echo alive')).output()
    expect(stdout.toString()).toBe('alive\n')
  }

  it('is waited for by whoever touches it, until they are told, and nobody else notices', async () => {
    const [bystander, ...touching] = await Promise.all(Array.from({ length: 7 }, enter))
    if (bystander === undefined) throw new Error('there are seven')
    const reading = await Promise.all(
      touching.map(async ({ files }) => {
        const stream = files.createReadStream(hung())
        await once(stream, 'readable')
        return stream
      }),
    )
    fuse.hang()
    // By names, by files that are open, and by what connect(2) and bind(2) look up.
    const files = touching.map(({ files }) => failureOf(files.stat(hung())))
    const streams = reading.map((stream) => failureOf(once(stream.resume(), 'end')))
    const sockets = touching.map((connection) => failureOf(connection.openUnix(hung())))
    const forwards = touching.map((connection) =>
      failureOf(connection.forwardRemote({ path: hung('new') }, { host: '127.0.0.1', port: 1 })),
    )
    for (const connection of [bystander, await enter()]) {
      await expectFiles(connection)
      await expectForwards(connection)
      await expectCommand(connection)
    }
    await Promise.all(touching.map(expectCommand))
    for (const failure of await Promise.all(files)) expect(failure).toMatchObject(notAnswering(hung()))
    for (const failure of await Promise.all(streams)) expect(failure).toMatchObject(notAnswering(hung()))
    const refused = `The other side refused to connect: The file system of ${hung()} does not answer.`
    for (const failure of await Promise.all(sockets)) expect(failure).toMatchObject({ message: refused })
    for (const failure of await Promise.all(forwards))
      expect(failure).toMatchObject({ code: 'request-refused' })
    await Promise.all([bystander, ...touching].map(expectFiles))
    await Promise.all([bystander, ...touching].map(expectForwards))
  })

  it('is waited for once: from then on it is refused at once, to those as well that come later', async () => {
    const first = await enter()
    fuse.hang()
    expect(await failureOf(first.files.stat(hung()))).toMatchObject(notAnswering(hung()))
    // Each of these would take two seconds, and a thread.
    for (let n = 0; n < 50; n++) {
      const connection = n % 5 === 0 ? await enter() : first
      const path = hung(`${n}`)
      expect(await failureOf(connection.files.readdir(path))).toMatchObject(notAnswering(path))
    }
    await expectFiles(first)
    fuse.go()
    for (;;) {
      const failure = await failureOf(first.files.stat(hung()))
      if (failure === undefined) break
      expect(failure).toMatchObject(notAnswering(hung()))
    }
    expect((await (await enter()).files.readFile(hung())).length).toBe(4 * 1024 * 1024)
  })

  it('leaves threads for others, however many touch it at once', async () => {
    const bystander = await enter()
    const touching = await Promise.all(Array.from({ length: 60 }, enter))
    fuse.hang()
    const failures = touching.map(({ files }) => failureOf(files.readFile(hung())))
    await expectForwards(bystander)
    for (const failure of await Promise.all(failures)) {
      expect(failure).toMatchObject({ code: 'file-failed' })
      expect(String(failure)).toMatch(/does not answer|do not answer: .* has to wait as well/)
    }
    await expectFiles(bystander)
    await expectFiles(await enter())
  })

  it('is told apart from the one that holds a link to it', async () => {
    const { files } = await enter()
    fs.symlinkSync(fuse.inside, join(directory(), 'link'))
    fuse.hang()
    const path = join(directory(), 'link/file')
    for (let n = 0; n < 3; n++) expect(await failureOf(files.stat(path))).toMatchObject(notAnswering(path))
    expect((await files.stat(join(directory(), 'link')).catch(String)).toString()).toContain(
      'does not answer',
    )
    expect(await files.lstat(join(directory(), 'link'))).toMatchObject({ type: 'link' })
    expect(await files.readdir(directory())).not.toEqual([])
    fs.rmSync(join(directory(), 'link'))
  })

  it('here ends sshjob cp with a sentence, either way, and Ctrl-C ends it before', async () => {
    fs.mkdirSync(join(directory(), 'sshjob'), { mode: 0o700 })
    fs.linkSync(socket, join(directory(), 'sshjob/here.sock'))
    const file = join(directory(), 'data')
    fs.writeFileSync(file, 'data')
    fuse.hang()
    const copies: [name: string, args: string[]][] = [
      [hung('up'), [hung('up'), 'here:']],
      [hung('down'), [`here:${file}`, hung('down')]],
    ]
    for (const [name, args] of copies) {
      const copy = start('impatient-cp', ...args)
      expect(await copy.ended).toEqual({ exitCode: 255, signal: null })
      expect(copy.stderr().toString()).toBe(`sshjob: The file system of ${name} does not answer.\n`)
    }
    const copy = start('impatient-cp', '-v', hung('up'), 'here:')
    await copy.waitFor(/connected/)
    copy.kill('SIGINT')
    expect(await copy.ended).toEqual({ exitCode: null, signal: 'SIGINT' })
  })

  it('that answers slowly is not taken for one that does not', async () => {
    const { files } = await enter()
    await files.stat(hung())
    fuse.hang()
    const answers = Promise.all([files.stat(hung()), files.readFile(hung())])
    // Slow, and asked whether it answers, and not yet given up.
    await new Promise((resolve) => setTimeout(resolve, 700))
    fuse.go()
    expect((await answers)[1].length).toBe(4 * 1024 * 1024)
  })
})
