import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { also, describeClient, SFTP, SSH } from '../helpers/clients.js'
import { checkMany, editorScript, LOCAL_ONLY, MARKER, WAYS } from '../helpers/editor.js'
import { HOST, writeSshConfig } from '../helpers/openssh.js'
import { runProgram, startProgram } from '../helpers/programs.js'
import { dial, unusedPort } from '../helpers/sockets.js'
import { starterSuite } from '../helpers/starter.js'

describeClient(SFTP, 'as JetBrains uses it', () => {
  const { user, start } = starterSuite()

  it.each(WAYS)(
    'uploads a folder tree, runs what is in it, and reaches its port by -L, %s',
    async (_where, way) => {
      const { folder, env } = user()
      const config = await writeSshConfig(user(), way)
      if (way.length === 0) await start({ cwd: folder, options: LOCAL_ONLY })
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
      await client.stop()
      expect(readFileSync(join(backend, 'run/log'), 'utf8')).toBe(`listening on ${port}\n`)
    },
  )
})

describeClient(also(SSH, 'sftp'), 'as Zed uses it', () => {
  const { user, start } = starterSuite()

  it('uploads its server over a connection that it keeps, and talks to it on its standard input and output', async () => {
    const { folder, env } = user()
    const config = await writeSshConfig(user())
    await start({ cwd: folder })
    const path = join(folder, 'control')
    const master = startProgram(
      'ssh',
      ['-F', config, '-N', '-v', '-o', 'ControlMaster=yes', '-o', `ControlPath=${path}`, HOST],
      { env },
    )
    await master.waitFor(/Entering interactive session/)
    const over = ['-F', config, '-o', 'ControlMaster=no', '-o', `ControlPath=${path}`]
    // A program of some size, which doubles each number that it is told, and ends when its input does.
    const program = join(folder, 'program')
    const padding = '#'.repeat(3_000_000)
    writeFileSync(
      program,
      `#!/bin/sh\nwhile read -r number; do echo $((number * 2)); done; exit 3\n${padding}\n`,
    )
    const put = `put ${program} uploaded\nchmod 755 uploaded\n`
    expect(await runProgram('sftp', [...over, '-q', '-b', '-', HOST], { env, stdin: put })).toMatchObject({
      exitCode: 0,
      stderr: '',
    })
    const server = startProgram('ssh', [...over, HOST, './uploaded'], { env })
    let number = 1
    for (let turn = 0; turn < 20; turn++) {
      server.child.stdin.write(`${number}\n`)
      number *= 2
      await server.waitFor(new RegExp(`^${number}$`, 'm'))
    }
    server.child.stdin.end()
    expect((await server.ended).exitCode).toBe(3)
    await master.stop()
  })
})
