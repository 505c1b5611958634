import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describeWith } from '../helpers/needs.js'
import { type ProgramResult, runProgram, SSHJOB, SSHJOB_SERVER } from '../helpers/programs.js'
import { answerAfterEnd, serveSockets } from '../helpers/sockets.js'
import { starterSuite } from '../helpers/starter.js'

const { user } = starterSuite()

/** Runs sshjob through this command instead of a starter's socket. */
const through = (proxy: string, args: string[], stdin: string | Buffer = ''): Promise<ProgramResult> =>
  runProgram(SSHJOB, ['--proxy-command', proxy, 'here', ...args], { env: user().env, stdin })

const SERVER = `${process.execPath} ${SSHJOB_SERVER} -i`

async function expectToServe(proxy: string): Promise<void> {
  const result = await through(proxy, ['echo out; echo err >&2; cat; exit 7'], 'in')
  expect(result).toMatchObject({ exitCode: 7, stdout: 'out\nin', stderr: 'err\n' })
  const shell = await through(proxy, [], 'echo from a shell\n')
  expect(shell).toMatchObject({ exitCode: 0, stdout: 'from a shell\n' })
  const data = randomBytes(5_000_000).toString('latin1')
  expect((await through(proxy, ['cat'], data)).stdout === data).toBe(true)
}

describe('sshjob-server -i', () => {
  it('serves one connection on two pipes', () => expectToServe(SERVER))

  it('serves files and forwardings as well', async () => {
    const { port } = await serveSockets(answerAfterEnd)
    const env = user().env
    const forwarded = await runProgram(
      SSHJOB,
      ['--proxy-command', SERVER, '-W', `localhost:${port}`, 'here'],
      { env, stdin: 'abc' },
    )
    expect(forwarded).toMatchObject({ exitCode: 0, stdout: 'got 3' })
    const [from, to] = ['from', 'to'].map((name) => join(user().folder, name))
    const data = randomBytes(3_000_001)
    writeFileSync(from ?? '', data)
    const args = ['cp', '--proxy-command', SERVER, from ?? '', `here:${to}`]
    expect(await runProgram(SSHJOB, args, { env })).toMatchObject({ exitCode: 0, stderr: '' })
    expect(readFileSync(to ?? '').equals(data)).toBe(true)
  })

  it('serves nobody who does not speak, and says why', async () => {
    const result = await runProgram(SSHJOB_SERVER, ['-i'], {
      env: user().env,
      stdin: 'GET / HTTP/1.0\r\n\r\n',
    })
    expect(result.exitCode).not.toBe(0)
    expect(result.stderr).toMatch(/its first bytes are not sshjob's hello/)
  })
})

describeWith(['python3'], 'sshjob-server -i on one socket, as inetd starts it', () => {
  it('serves one connection', async () => {
    // Only a language with socketpair(2) can give a program one socket as both: Node.js can't.
    const script = join(user().folder, 'inetd.py')
    writeFileSync(
      script,
      `import os, socket, subprocess, sys, threading
ours, theirs = socket.socketpair()
server = subprocess.Popen(sys.argv[1:], stdin=theirs, stdout=theirs)
theirs.close()
def up():
    while data := os.read(0, 65536):
        ours.sendall(data)
    ours.shutdown(socket.SHUT_WR)
threading.Thread(target=up, daemon=True).start()
while data := ours.recv(65536):
    while data:
        data = data[os.write(1, data):]
sys.stdout.flush()
os._exit(server.wait())
`,
    )
    await expectToServe(`python3 ${script} ${SERVER}`)
  })
})
