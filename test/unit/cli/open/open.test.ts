import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import type { Server } from 'node:net'
import { join } from 'node:path'
import { parseListeners } from '../../../../src/cli/open/listeners.js'
import { until } from '../../../helpers/bytes.js'
import { describeWithMounts } from '../../../helpers/needs.js'
import {
  type ProgramResult,
  type RunningProgram,
  runProgram,
  SSHJOB,
  SSHJOB_SERVER,
  startProgram,
} from '../../../helpers/programs.js'
import { environmentFor, type ServedJob, serveJob } from '../../../helpers/served-job.js'
import { answerAfterEnd, dial, exchange, serveSockets, unusedPort } from '../../../helpers/sockets.js'
import { temporaryDirectory } from '../../../helpers/temporary-directory.js'

const listenAgain = (server: Server, port: number): Promise<void> =>
  new Promise((resolve) => server.listen(port, '127.0.0.1', resolve))

describe('sshjob open', () => {
  const folder = temporaryDirectory()
  let job: ServedJob

  beforeEach(async () => {
    job = await serveJob(folder(), 'notebook')
  })
  afterEach(() => job.stop())

  const run = (...args: string[]): Promise<ProgramResult> =>
    runProgram(SSHJOB, ['open', ...args], { env: job.env })

  it('waits until the port answers, says what else listens there, and opens the browser', async () => {
    const port = await unusedPort()
    const { port: other, server } = await serveSockets(answerAfterEnd)
    const seen = join(folder(), 'seen')
    const browser = join(folder(), 'xdg-open')
    writeFileSync(browser, `#!/bin/sh\necho "$1" > ${seen}.new && mv ${seen}.new ${seen}\n`)
    chmodSync(browser, 0o755)
    const env = { ...job.env, DISPLAY: ':99', PATH: `${folder()}:${process.env.PATH}` }
    const program = startProgram(SSHJOB, ['open', 'notebook', String(port)], { env })
    await program.waitFor(
      new RegExp(
        `^sshjob: Waiting for port ${port} of job notebook to answer\\. Ports that are listened on there: .*\\b${other}\\b.*\\.\n`,
      ),
    )
    await new Promise((resolve) => server.close(resolve))
    await listenAgain(server, port)
    // The job has our network: what listens there listens here.
    expect(await program.ended).toEqual({ exitCode: 0, signal: null })
    expect(program.stdout().toString()).toBe(`http://localhost:${port}/\n`)
    expect(program.stderr().toString()).toMatch(
      /\nsshjob: Job notebook shares the network of this machine: nothing needs to be forwarded\.\n$/,
    )
    await until(() => existsSync(seen))
    expect(readFileSync(seen, 'utf8')).toBe(`http://localhost:${port}/\n`)
  })

  it('takes the port that it was given, and no browser', async () => {
    const { port } = await serveSockets(answerAfterEnd)
    const here = await unusedPort()
    const args = ['open', '--no-browser', '--port', String(here), 'notebook', String(port)]
    const program = startProgram(SSHJOB, args, { env: job.env })
    await program.waitFor(/^http:\/\/localhost:\d+\/\n/m)
    expect(program.stdout().toString()).toBe(`http://localhost:${here}/\n`)
    expect((await exchange(await dial(here), 'ab')).toString()).toBe('got 2')
    program.kill('SIGINT')
    expect(await program.ended).toEqual({ exitCode: null, signal: 'SIGINT' })
  })

  it('waits no longer than it was told', async () => {
    const port = await unusedPort()
    const { port: other } = await serveSockets(answerAfterEnd)
    const result = await run('-q', '--wait=0.3', 'notebook', String(port))
    expect(result).toMatchObject({ exitCode: 255, stdout: '' })
    expect(result.stderr).toMatch(
      new RegExp(
        `^sshjob: Nothing answers at port ${port} of job notebook, after 0\\.3 s\\. Ports that are listened on there: .*\\b${other}\\b.*\\.\n$`,
      ),
    )
  })

  const SEE = "Run 'sshjob open --help' for the options."
  it.each([
    [['notebook'], `sshjob: 'sshjob open' takes a job and a port of it: sshjob open JOB PORT. ${SEE}`],
    [['notebook', '0'], `sshjob: '0' is no port: a number from 1 to 65535 is. ${SEE}`],
    [['nope', '80'], 'sshjob: No job nope'],
  ])('fails with a sentence for %j', async (args, sentence) => {
    expect(await run(...args)).toMatchObject({
      exitCode: 255,
      stdout: '',
      stderr: expect.stringContaining(sentence),
    })
  })
})

describeWithMounts('sshjob open, of a job with a network of its own', () => {
  const folder = temporaryDirectory()
  const SERVE = `require('net').createServer((s) => s.end('of the job')).listen(Number(process.argv[1]), '127.0.0.1')`
  let starter: RunningProgram
  let port: number

  beforeEach(async () => {
    port = await unusedPort()
    const serve = [process.execPath, '-e', SERVE, String(port)]
    const command = [process.execPath, SSHJOB_SERVER, '--job-id', 'notebook', '--', ...serve]
    starter = startProgram(
      'unshare',
      ['-n', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh', ...command],
      {
        env: environmentFor(folder()),
      },
    )
  })
  afterEach(() => starter.stop())

  const open = (...args: string[]): RunningProgram =>
    startProgram(SSHJOB, ['open', '--wait=20', ...args, 'notebook', String(port)], {
      env: environmentFor(folder()),
    })
  const read = async (from: number): Promise<string> => (await exchange(await dial(from), '')).toString()

  it('forwards its port, which keeps its number', async () => {
    const program = open()
    await program.waitFor(/^http:\/\/localhost:\d+\/\n/m)
    expect(program.stdout().toString()).toBe(`http://localhost:${port}/\n`)
    expect(await read(port)).toBe('of the job')
    program.kill('SIGINT')
    expect(await program.ended).toEqual({ exitCode: null, signal: 'SIGINT' })
  })

  it('takes another one where that is taken here, and says so: what is here is not of the job', async () => {
    const { server } = await serveSockets((socket) => socket.end('of this machine'))
    await new Promise((resolve) => server.close(resolve))
    await listenAgain(server, port)
    const program = open()
    await program.waitFor(/^http:\/\/localhost:\d+\/\n/m)
    const url = program.stdout().toString().trim()
    expect(url).not.toBe(`http://localhost:${port}/`)
    expect(await read(Number(new URL(url).port))).toBe('of the job')
    expect(program.stderr().toString()).toContain(
      `sshjob: Port ${port} of 127.0.0.1 can't be listened on: the port is in use. Another port is taken in its place.\n`,
    )
    program.kill('SIGINT')
    await program.ended
  })
})

test('the sockets that listen for localhost are those that /proc/net/tcp shows so', () => {
  const line = (local: string, state: string, port = '1F90'): string =>
    `   0: ${local}:${port} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0 100 0`
  const listening = [
    '0100007F',
    '00000000',
    '0200007F',
    '00000000000000000000000000000000',
    '00000000000000000000000001000000',
    '0000000000000000FFFF00000100007F',
  ]
  const others = ['0100000A', 'FE80000000000000000000000000000A', '0000000000000000FFFF00000100000A']
  const table = [
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
    ...listening.map((address) => line(address, '0A')),
    ...others.map((address) => line(address, '0A')),
    line('0100007F', '01'),
    '',
    'nonsense',
  ].join('\n')
  expect(parseListeners(table)).toEqual(listening.map(() => ({ port: 8080, uid: 1000, inode: '4711' })))
})
