import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { describeClient, SFTP, sshWith } from '../helpers/clients.js'
import { editorScript, MARKER } from '../helpers/editor-script.js'
import { HOST, writeSshConfig } from '../helpers/openssh.js'
import { expectGone } from '../helpers/processes.js'
import { type RunningProgram, runProgram, SSHJOB_SERVER, startProgram } from '../helpers/programs.js'
import { dial, exchange, unusedPort } from '../helpers/sockets.js'
import { dialThroughSocks } from '../helpers/socks.js'
import { starterSuite } from '../helpers/starter.js'

const CONNECTIONS = 50

/** Sends through each of many connections at once, different bytes through each, and gets the same back. */
async function checkMany(connect: () => Promise<Socket>): Promise<void> {
  const same = Array.from({ length: CONNECTIONS }, async () => {
    const data = randomBytes(100_000)
    return (await exchange(await connect(), data)).equals(data)
  })
  expect((await Promise.all(same)).filter(Boolean)).toHaveLength(CONNECTIONS)
}

interface Editor {
  ssh: RunningProgram
  found: string | undefined
  /** The process of the server in the job, and its port there. */
  pid: number
  port: number
  socks: number
  /** The unix socket here that leads to the server's there. */
  socket: string
}

const WAYS = [
  ['under a starter', []],
  ['in `sshjob-server -i`', ['--proxy-command', `${process.execPath} ${SSHJOB_SERVER} -i`]],
] as const

describeClient(sshWith('bash', 'setsid'), 'as VS Code Remote-SSH uses it', () => {
  const { user, start } = starterSuite()
  const servers: number[] = []
  let config = ''
  let folder = ''
  let opened = 0

  // Each server was made to outlive its session, so it is ours to end.
  afterEach(async () => {
    for (const pid of servers.splice(0)) {
      if (existsSync(`/proc/${pid}`)) process.kill(pid, 'SIGKILL')
      await expectGone(pid)
    }
  })

  async function enter(way: readonly string[]): Promise<void> {
    folder = join(user().folder, `server-${opened}`)
    config = await writeSshConfig(user(), way)
    if (way.length === 0) await start()
  }

  /** `ssh -T -D PORT HOST bash`, with the script on stdin, which stays open. */
  async function open(before = ''): Promise<Editor> {
    const socks = await unusedPort()
    const socket = join(user().folder, `here-${opened++}`)
    const forwards = ['-D', String(socks), '-L', `${socket}:${folder}/socket`]
    const ssh = startProgram('ssh', ['-F', config, '-T', ...forwards, HOST, 'bash'], { env: user().env })
    ssh.child.stdin.write(editorScript({ folder, before }))
    await ssh.waitFor(MARKER)
    const [, found, pid, port] = MARKER.exec(ssh.stdout().toString()) ?? []
    servers.push(Number(pid))
    return { ssh, found, pid: Number(pid), port: Number(port), socks, socket }
  }

  async function check({ socks, port, socket }: Editor): Promise<void> {
    await Promise.all([
      checkMany(() => dialThroughSocks(socks, '127.0.0.1', port)),
      checkMany(() => dial(socket)),
    ])
  }

  it.each(WAYS)(
    'starts its server by a script on stdin, and reaches it by -D and on a unix socket, 100 connections at once, %s',
    async (_where, way) => {
      await enter(way)
      const editor = await open()
      expect(editor.found).toBe('started')
      await check(editor)
    },
  )

  it.each(WAYS)('finds its server again after it has left in order, %s', async (_where, way) => {
    await enter(way)
    const first = await open()
    first.ssh.child.stdin.end()
    expect(await first.ssh.ended).toEqual({ exitCode: 0, signal: null })
    const second = await open()
    expect(second).toMatchObject({ found: 'running', pid: first.pid, port: first.port })
    await check(second)
  })

  it.each(WAYS)(
    'finds its server again after the connection was lost, if it runs under setsid, %s',
    async (_where, way) => {
      await enter(way)
      const first = await open('setsid')
      first.ssh.kill('SIGKILL')
      await first.ssh.ended
      const second = await open('setsid')
      expect(second).toMatchObject({ found: 'running', pid: first.pid, port: first.port })
      await check(second)
    },
  )

  it('starts its server anew after the connection was lost, if it runs in the session', async () => {
    await enter([])
    const first = await open()
    first.ssh.kill('SIGKILL')
    await expectGone(first.pid)
    const second = await open()
    expect(second.found).toBe('started')
    await check(second)
  })
})

describeClient(SFTP, 'as JetBrains uses it', () => {
  const { user, start } = starterSuite()

  it.each(WAYS)(
    'uploads a folder tree, runs what is in it, and reaches its port by -L, %s',
    async (_where, way) => {
      const { folder, env } = user()
      const config = await writeSshConfig(user(), way)
      if (way.length === 0) await start({ cwd: folder })
      const tree = join(folder, 'tree')
      for (let part = 0; part < 20; part++) {
        mkdirSync(join(tree, `part${part}`), { recursive: true })
        for (let file = 0; file < 10; file++)
          writeFileSync(join(tree, `part${part}`, `${file}`), randomBytes(5_000))
      }
      const backend = join(folder, `backend-${way.length}`)
      writeFileSync(join(tree, 'start.sh'), editorScript({ folder: join(backend, 'run'), before: 'setsid' }))
      chmodSync(join(tree, 'start.sh'), 0o755)
      const batch = `mkdir ${backend}\nput -r -p ${tree} ${backend}/dist\n`
      const put = ['-F', config, '-q', '-b', '-', HOST]
      expect(await runProgram('sftp', put, { env, stdin: batch })).toMatchObject({ exitCode: 0, stderr: '' })
      expect(await runProgram('diff', ['-r', tree, `${backend}/dist`])).toMatchObject({
        exitCode: 0,
        stdout: '',
      })

      const run = await runProgram('ssh', ['-F', config, HOST, `${backend}/dist/start.sh`], { env })
      const [, found, pid, port] = MARKER.exec(run.stdout) ?? []
      expect(found).toBe('started')
      const here = await unusedPort()
      const forward = ['-N', '-v', '-L', `${here}:127.0.0.1:${port}`]
      const client = startProgram('ssh', ['-F', config, ...forward, HOST], { env })
      await client.waitFor(/Entering interactive session/)
      await checkMany(() => dial(here))
      process.kill(Number(pid))
      client.kill()
      await client.ended
      expect(readFileSync(join(backend, 'run/log'), 'utf8')).toBe(`listening on ${port}\n`)
    },
  )
})
