import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { also, describeClient, SSH } from '../helpers/clients.js'
import { checkMany, editorScript, LOCAL_ONLY, MARKER, WAYS } from '../helpers/editor.js'
import { HOST, writeSshConfig } from '../helpers/openssh.js'
import { expectGone } from '../helpers/processes.js'
import { type RunningProgram, startProgram } from '../helpers/programs.js'
import { dial, unusedPort } from '../helpers/sockets.js'
import { dialThroughSocks } from '../helpers/socks.js'
import { starterSuite } from '../helpers/starter.js'

/** The script waits for its server as long. */
const SERVER_WAIT_MS = 40_000

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

describeClient(also(SSH, 'bash', 'setsid'), 'as VS Code Remote-SSH uses it', () => {
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
    if (way.length === 0) await start({ options: LOCAL_ONLY })
  }

  /** `ssh -T -D PORT HOST bash`, with the script on stdin, which stays open. */
  async function open(before = ''): Promise<Editor> {
    const socks = await unusedPort()
    const socket = join(user().folder, `here-${opened++}`)
    const forwards = ['-D', String(socks), '-L', `${socket}:${folder}/socket`]
    const ssh = startProgram('ssh', ['-F', config, '-T', ...forwards, HOST, 'bash'], { env: user().env })
    ssh.child.stdin.write(editorScript({ folder, before }))
    await ssh.waitFor(MARKER, SERVER_WAIT_MS)
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

  it.each(
    WAYS.flatMap(([where, way]) => [
      ['in the session', where, way, ''] as const,
      ['under setsid', where, way, 'setsid'] as const,
    ]),
  )(
    'finds its server again after the connection was lost, if it runs %s, %s',
    async (_how, _where, way, before) => {
      await enter(way)
      const first = await open(before)
      first.ssh.kill('SIGKILL')
      await first.ssh.ended
      const second = await open(before)
      expect(second).toMatchObject({ found: 'running', pid: first.pid, port: first.port })
      await check(second)
    },
  )
})
