import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Duplex, PassThrough } from 'node:stream'
import { type Logger, silent } from '../../../src/core/log.js'
import { FileServer, type ServedFiles } from '../../../src/process/file-server.js'
import { FXP } from '../../../src/ssh/sftp-protocol.js'
import { uint32 } from '../../../src/ssh/wire.js'
import { until } from '../../helpers/bytes.js'
import { startProgram } from '../../helpers/programs.js'
import { sftpPeer } from '../../helpers/sftp-peer.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

// Long before they would be over.
jest.mock('../../../src/core/limits.js', () => ({
  ...jest.requireActual<typeof import('../../../src/core/limits.js')>('../../../src/core/limits.js'),
  FILE_SERVER_BEGIN_MS: 10,
  FILE_SERVER_IDLE_MS: 50,
  FILE_SERVER_START_MS: 5_000,
  FILE_SERVER_RETRY_MS: 300,
}))

const helper = (name: string): string => join(process.cwd(), 'test/helpers', name)
const PROGRAM = [
  process.execPath,
  '--import',
  helper('register-typescript.mjs'),
  helper('impatient-files.ts'),
]
const PLACE = { connection: 1, directory: '/tmp', home: '/' }

const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').filter(Boolean).map(Number)

describe('the process that serves files', () => {
  const directory = temporaryDirectory()
  const before = childrenOf(process.pid)
  const children = (): number[] => childrenOf(process.pid).filter((pid) => !before.includes(pid))
  const streams: Duplex[] = []
  // They end with their parent, which is still needed.
  afterEach(async () => {
    for (const stream of streams.splice(0)) stream.destroy()
    for (const pid of children()) process.kill(pid, 'SIGKILL')
    await until(() => children().length === 0)
  })

  async function isServed(served: ServedFiles | undefined): Promise<ServedFiles> {
    if (served === undefined) throw new Error('it is not served')
    streams.push(served.stream)
    const { type } = await sftpPeer(served.stream, served.stream).ask(FXP.INIT, uint32(3))
    expect(type).toBe(FXP.VERSION)
    return served
  }

  it('is there before it is asked for, and is another one once nobody has needed it for a while', async () => {
    const server = new FileServer(PROGRAM)
    server.prepare()
    await until(() => children().length === 1)
    const [first] = children()
    const served = await isServed(await server.open(PLACE))
    expect(children()).toEqual([first])
    served.stream.end()
    expect(await served.ended).toBe(0)
    await until(() => children().length === 1 && children()[0] !== first)
    await isServed(await server.open({ ...PLACE, connection: 2 }))
  })

  it('has answered once before anybody waits for it', async () => {
    // Answers with what it is told, as often as it is.
    const said = join(directory(), 'said')
    const echo = `
      process.on('message', (_request, socket) => socket.on('data', (data) => require('fs').appendFileSync(${JSON.stringify(said)}, data)))
      process.on('disconnect', () => process.exit())
      process.send({ ready: true })`
    const server = new FileServer([process.execPath, '-e', echo], { rehearsal: Buffer.from('once ') })
    server.prepare()
    await until(() => existsSync(said))
    streams.push((await server.open(PLACE))?.stream ?? new PassThrough())
    expect(readFileSync(said, 'latin1')).toBe('once ')
  })

  it.each([
    ['ends', ['false']],
    ['can not be started', ['/no/such/program']],
    ['says nothing', ['sleep', '1000']],
  ])('that %s is done without, and tried again some time later', async (_title, command) => {
    const warnings: unknown[] = []
    const log: Logger = { ...silent, warn: (...said: unknown[]) => void warnings.push(said) }
    const server = new FileServer(command, { log })
    expect(await server.open(PLACE)).toBeUndefined()
    await until(() => children().length === 0)
    expect(await server.open(PLACE)).toBeUndefined()
    expect(warnings).toHaveLength(1)
    while (warnings.length < 2) {
      await new Promise((resolve) => setTimeout(resolve, 50))
      expect(await server.open(PLACE)).toBeUndefined()
    }
  })

  it('that is killed ends what it has served with a status, and the next gets a new one', async () => {
    const server = new FileServer(PROGRAM)
    const served = await isServed(await server.open(PLACE))
    served.stream.on('error', () => undefined)
    for (const pid of children()) process.kill(pid, 'SIGKILL')
    expect(await served.ended).toBe(255)
    await isServed(await server.open(PLACE))
  })

  it('keeps no program alive that has nothing else to do', async () => {
    const program = `
      import { FileServer } from './src/process/file-server.ts'
      const something = setInterval(() => {}, 1_000)
      const served = await new FileServer(${JSON.stringify(PROGRAM)}).open(${JSON.stringify(PLACE)})
      served.stream.destroy()
      clearInterval(something)`
    const args = ['--import', helper('register-typescript.mjs'), '--input-type=module', '--eval', program]
    expect(await startProgram(process.execPath, args, {}).ended).toEqual({ exitCode: 0, signal: null })
  })
})
