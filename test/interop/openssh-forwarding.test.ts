import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import { dirname, join } from 'node:path'
import { sha256, until } from '../helpers/bytes.js'
import { also, describeClient, SSH } from '../helpers/clients.js'
import { HOST, sshOf } from '../helpers/openssh.js'
import { runProgram, startProgram } from '../helpers/programs.js'
import { answerAfterEnd, dial, echoSocket, exchange, serveSockets, unusedPort } from '../helpers/sockets.js'
import { starterSuite } from '../helpers/starter.js'

const MIB = 1024 * 1024

describeClient(SSH, 'forwarding', () => {
  const { user, start } = starterSuite()
  const ssh = sshOf(user)
  const options = ['-N', '-v', '-o', 'ExitOnForwardFailure=yes']

  it('-L leads into the job, half-close kept, 20 MB unchanged', async () => {
    await start()
    const [echo, answer] = [await serveSockets(echoSocket), await serveSockets(answerAfterEnd)]
    const [here, other] = [await unusedPort(), await unusedPort()]
    const forwards = ['-L', `${here}:127.0.0.1:${echo.port}`, '-L', `${other}:localhost:${answer.port}`]
    const client = ssh.start([...options, ...forwards, HOST])
    await client.waitFor(/Entering interactive session/)
    const data = randomBytes(20 * MIB)
    expect(sha256(await exchange(await dial(here), data))).toBe(sha256(data))
    expect((await exchange(await dial(other), 'x'.repeat(12_345))).toString()).toBe('got 12345')
    await client.stop()
  })

  it('-L serves 50 connections at once', async () => {
    await start()
    const { port } = await serveSockets(echoSocket)
    const here = await unusedPort()
    const client = ssh.start([...options, '-L', `${here}:127.0.0.1:${port}`, HOST])
    await client.waitFor(/Entering interactive session/)
    const data = randomBytes(100_000)
    const answers = await Promise.all(
      Array.from({ length: 50 }, async () => exchange(await dial(here), data)),
    )
    expect(answers.every((answer) => answer.equals(data))).toBe(true)
    await client.stop()
  })

  it('-R 0 takes a port of the job, and leads out of it, 20 MB unchanged', async () => {
    await start()
    const { port } = await serveSockets(echoSocket)
    const client = ssh.start([...options, '-R', `0:127.0.0.1:${port}`, HOST])
    await client.waitFor(/Allocated port \d+/)
    const inTheJob = Number(/Allocated port (\d+)/.exec(client.stderr().toString())?.[1])
    const data = randomBytes(20 * MIB)
    expect(sha256(await exchange(await dial(inTheJob), data))).toBe(sha256(data))
    await client.stop()
  })

  it('-L and -R lead to and from unix sockets', async () => {
    await start()
    const path = (name: string): string => join(user().folder, name)
    await serveSockets(echoSocket, path('target'))
    await serveSockets(answerAfterEnd, path('client'))
    const forwards = ['-L', `${path('l')}:${path('target')}`, '-R', `${path('r')}:${path('client')}`]
    const client = ssh.start([...options, ...forwards, HOST])
    await client.waitFor(/Entering interactive session/)
    await client.waitFor(/remote forward success/)
    expect((await exchange(await dial(path('l')), 'abc')).toString()).toBe('abc')
    expect((await exchange(await dial(path('r')), 'abcd')).toString()).toBe('got 4')
    await client.stop()
  })

  it('-W connects its input and output', async () => {
    await start()
    const { port } = await serveSockets(answerAfterEnd)
    const result = await ssh.run(['-W', `localhost:${port}`, HOST], { stdin: 'x'.repeat(MIB) })
    expect(result).toMatchObject({ exitCode: 0, stdout: `got ${MIB}` })
  })

  it('-W says why there is no connection', async () => {
    await start()
    const port = await unusedPort()
    const result = await ssh.run(['-W', `127.0.0.1:${port}`, HOST])
    expect(result.exitCode).toBe(255)
    expect(result.stderr).toContain(
      `open failed: connect failed: No connection to 127.0.0.1:${port}: nobody listens there.`,
    )
  })

  it('is refused what the starter does not permit, with a sentence', async () => {
    const { port } = await serveSockets(answerAfterEnd)
    const other = await unusedPort()
    await start({ options: ['--allow-forwarding', 'local', '--permit-open', `localhost:${port}`] })
    const allowed = await ssh.run(['-W', `localhost:${port}`, HOST], { stdin: 'abc' })
    expect(allowed.stdout).toBe('got 3')
    const refused = await ssh.run(['-W', `localhost:${other}`, HOST])
    expect(refused.stderr).toContain(
      `open failed: administratively prohibited: the job's starter does not permit localhost:${other}`,
    )
    const remote = await ssh.run([...options, '-R', `0:localhost:${port}`, HOST])
    expect(remote.stderr).toContain('remote port forwarding failed')
  })
})

describeClient(also(SSH, 'curl'), 'dynamic forwarding', () => {
  const { user, start } = starterSuite()
  const ssh = sshOf(user)

  it('-D serves curl in every version of SOCKS, names being looked up in the job', async () => {
    await start()
    const server = createServer((request, response) => response.end(`you asked for ${request.url}`))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const socks = await unusedPort()
    const client = ssh.start(['-N', '-v', '-D', String(socks), HOST])
    await client.waitFor(/Entering interactive session/)
    for (const version of ['socks4', 'socks4a', 'socks5', 'socks5h']) {
      const args = ['-sS', '-x', `${version}://127.0.0.1:${socks}`, `http://localhost:${port}/${version}`]
      expect(await runProgram('curl', args)).toMatchObject({
        stdout: `you asked for /${version}`,
        exitCode: 0,
      })
    }
    await client.stop()
    server.close()
  })

  it('-R PORT alone serves curl in the job, names being looked up at the client', async () => {
    await start()
    const server = createServer((request, response) => response.end(`you asked for ${request.url}`))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const client = ssh.start(['-N', '-v', '-R', '0', HOST])
    await client.waitFor(/Allocated port \d+/)
    const socks = /Allocated port (\d+)/.exec(client.stderr().toString())?.[1]
    const url = `http://localhost:${port}/`
    const answer = await ssh.run([HOST, `curl -sS -x socks5h://127.0.0.1:${socks} ${url}`])
    expect(answer).toMatchObject({ stdout: 'you asked for /', exitCode: 0 })
    await client.stop()
    server.close()
  })
})

describeClient(also(SSH, 'ssh-agent', 'ssh-add', 'ssh-keygen'), 'the agent', () => {
  const { user, start } = starterSuite()
  const ssh = sshOf(user)

  it('is there in the session, private, and gone with it', async () => {
    await start()
    const { folder, env } = user()
    const socket = join(folder, 'agent')
    const agent = startProgram('ssh-agent', ['-D', '-a', socket], { env })
    await agent.waitFor(/SSH_AUTH_SOCK/)
    const key = join(folder, 'key')
    await runProgram('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'a key of the test', '-f', key], {
      env,
    })
    const withAgent = { env: { ...env, SSH_AUTH_SOCK: socket } }
    await runProgram('ssh-add', [key], withAgent)
    const command = 'ssh-add -l; echo $SSH_AUTH_SOCK; stat -c %a "$(dirname $SSH_AUTH_SOCK)"'
    const result = await ssh.run(['-A', HOST, command], withAgent)
    const [listed = '', path = '', mode] = result.stdout.split('\n')
    expect(listed).toContain('a key of the test')
    expect(mode).toBe('700')
    await until(() => !existsSync(dirname(path)))
    const without = await ssh.run([HOST, 'echo "[$SSH_AUTH_SOCK]"'], withAgent)
    expect(without.stdout).toBe('[]\n')
    await agent.stop()
  })
})

describeClient(also(SSH, 'Xvfb', 'xauth', 'xdpyinfo', 'xwininfo'), 'X11', () => {
  const { user, start } = starterSuite()
  const ssh = sshOf(user)

  it.each(['-X', '-Y'])('%s shows programs of the job, by a cookie of the session', async (flag) => {
    await start()
    const { folder, env } = user()
    // Without -noreset it starts anew when its last client has gone, and refuses the next one meanwhile.
    const screen = startProgram(
      'Xvfb',
      ['-noreset', '-displayfd', '1', '-screen', '0', '640x480x24', '-auth', join(folder, 'none')],
      { env },
    )
    await screen.waitFor(/^\d+\n/)
    const display = `:${screen.stdout().toString().trim()}`
    const there = { env: { ...env, DISPLAY: display } }
    const command =
      'echo $DISPLAY $XAUTHORITY; stat -c %a $XAUTHORITY; xdpyinfo | grep dimensions; xwininfo -root'
    const result = await ssh.run([flag, HOST, command], there)
    const [variables = '', mode, dimensions] = result.stdout.split('\n')
    expect(variables).toMatch(/^localhost:\d+\.0 \/.*\/Xauthority$/)
    expect(mode).toBe('600')
    expect(dimensions).toContain('640x480 pixels')
    expect(result.stdout).toContain('the root window')
    await until(() => !existsSync(dirname(variables.split(' ')[1] ?? '')))
    const wrong = await ssh.run([flag, HOST, 'XAUTHORITY=/dev/null xdpyinfo'], there)
    expect(wrong.exitCode).not.toBe(0)
    await screen.stop()
  })
})
