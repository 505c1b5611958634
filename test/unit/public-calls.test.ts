import { once } from 'node:events'
import { checkCall, options, text } from '../../src/core/check-options.js'
import * as sshjob from '../../src/index.js'
import { publicCalls, publicObjects } from '../helpers/public-calls.js'
import { type SessionPair, sessionPair, testJob } from '../helpers/session-pair.js'

/** Calls a function of the library with what its types forbid. */
type Call = (...args: unknown[]) => unknown

/** What is wrong with a call, and what it is told: the whole sentence behind its name. */
type Wrong = readonly [given: readonly unknown[], complaint: string]

const MISSING = 'it is missing'
const MILLISECONDS = 'has to be a number of milliseconds from 0 to 2147483647'
const stream = (): unknown => sshjob.streamPair()[0]
const PATH: Wrong = [[], `path has to be a string or bytes; ${MISSING}`]
const FILE_OPTIONS: Wrong = [['x', { sginal: null }], "options has no 'sginal'; what it may have: signal"]
const FILE = [PATH, FILE_OPTIONS] as const
const FROM: Wrong = [[], `from has to be an object; ${MISSING}`]
const FORWARD = "options has no 'onfailure'; what it may have: onFailure"
const TRANSFER =
  "options has no 'overwrite'; what it may have: signal, onProgress, preserve, resume, followLinks"
const FILES = { upload: () => undefined, download: () => undefined, readdir: () => undefined }
const TO_PORT = 'has to be a whole number from 1 to 65535'

const TREE: readonly Wrong[] = [
  [[], `files has to be the files of a connection: connection.files; ${MISSING}`],
  [[FILES], `sources has to be a path or an array of paths; ${MISSING}`],
  [[FILES, ['a', 7], 'b'], 'sources has to be a path or an array of paths; it is an array'],
  [[FILES, 'a'], `target has to be a string or bytes; ${MISSING}`],
  [
    [FILES, 'a', 'b', { recursive: true }],
    "options has no 'recursive'; what it may have: signal, preserve, resume, onStart, onProgress, onFailure, onSkip",
  ],
]

/** Every call that a user of the library can make. Those that have nothing to check have an empty list. */
const CALLS: Readonly<Record<string, readonly Wrong[]>> = {
  connect: [
    [[], `stream has to be a Duplex stream; ${MISSING}`],
    [[stream(), null], 'options has to be an object; it is null'],
    [
      [stream(), { idelTimeoutMs: 5 }],
      "options has no 'idelTimeoutMs'; what it may have: credentials, username, signal, log",
    ],
    [
      [stream(), { credentials: { privateKey: 'x' } }],
      `options.credentials.hostKey has to be a string with something in it; ${MISSING}`,
    ],
    [[stream(), { signal: {} }], 'options.signal has to be an AbortSignal; it is an object'],
    [
      [stream(), { log: console.log }],
      'options.log has to be a logger with the methods debug, info, warn and error; it is a function',
    ],
  ],
  connectToJob: [
    [[], `id has to be a string with something in it; ${MISSING}`],
    [[7], 'id has to be a string with something in it; it is 7'],
    [
      ['train', { timeout: 5 }],
      "options has no 'timeout'; what it may have: credentials, username, signal, log, waitMs, onWait, debug, htcondor",
    ],
    [['train', { waitMs: -1 }], 'options.waitMs has to be a number of milliseconds, or Infinity; it is -1'],
    [['train', { onWait: 'log' }], 'options.onWait has to be a function; it is a string'],
    [
      ['train', { htcondor: { shell: 'sh' } }],
      "options.htcondor has no 'shell'; what it may have: name, pool, shells",
    ],
  ],
  listJobs: [
    [[7], 'options has to be an object; it is 7'],
    [[{ timeoutMs: Number.NaN }], `options.timeoutMs ${MILLISECONDS}; it is NaN`],
    [[{ timeout: 1 }], "options has no 'timeout'; what it may have: signal, timeoutMs, onFailure, htcondor"],
  ],
  localJob: [
    [[], `options has to be an object; ${MISSING}`],
    [[{ command: [] }], `options.id has to be a string with something in it; ${MISSING}`],
    [[{ id: 'a' }], `options.command has to be an array; ${MISSING}`],
    [[{ id: 'a', command: 'true' }], 'options.command has to be an array; it is a string'],
    [[{ id: 'a', command: [1] }], 'options.command[0] has to be a string; it is 1'],
    [[{ id: 'a', command: [], shells: 'bash' }], 'options.shells has to be an array; it is a string'],
    [
      [{ id: 'a', command: [], environment: { A: 'b' } }],
      'options.environment has to be a Map of names and Buffers; it is an object',
    ],
    [
      [{ id: 'a', command: [], cwd: '/' }],
      "options has no 'cwd'; what it may have: id, command, environment, directory, user, shells, pids, since, openFiles, fileService",
    ],
    [
      [{ id: 'a', command: [], since: new Date(Number.NaN) }],
      'options.since has to be a Date that is a time; it is an object',
    ],
  ],
  serve: [
    [[], `stream has to be a Duplex stream; ${MISSING}`],
    [[stream()], `job has to be a Job, as localJob() makes one; ${MISSING}`],
    [
      [stream(), testJob(), { idelTimeoutMs: 5 }],
      "options has no 'idelTimeoutMs'; what it may have: credentials, shells, idleTimeoutMs, motd, peer, observer, signal, log, forwarding, permitOpen, permitListen",
    ],
    [
      [stream(), testJob(), { idleTimeoutMs: Number.NaN }],
      `options.idleTimeoutMs ${MILLISECONDS}; it is NaN`,
    ],
    [
      [stream(), testJob(), { idleTimeoutMs: 2 ** 31 }],
      `options.idleTimeoutMs ${MILLISECONDS}; it is 2147483648`,
    ],
    [[stream(), testJob(), { idleTimeoutMs: '5' }], `options.idleTimeoutMs ${MILLISECONDS}; it is a string`],
    [[stream(), testJob(), { shells: 'bash' }], 'options.shells has to be an array; it is a string'],
    [
      [stream(), testJob(), { forwarding: 'None' }],
      "options.forwarding has to be one of none, local, remote, all; it is 'None'",
    ],
    [
      [stream(), testJob(), { motd: true }],
      'options.motd has to be a string, a function or false; it is true',
    ],
  ],
  commandStream: [
    [[], `argv has to be an array; ${MISSING}`],
    [['true'], 'argv has to be an array; it is a string'],
    [
      [['true'], { env: {} }],
      "options has no 'env'; what it may have: stderr, signal, ownGroup, leash, patienceMs",
    ],
    [[['true'], { stderr: 'pipe' }], "options.stderr has to be a stream or 'inherit'; it is a string"],
  ],
  streamPair: [],
  uploadTree: TREE,
  downloadTree: TREE,
  'connection.exec': [
    [[], `command has to be a string or bytes; ${MISSING}`],
    [[['ls']], 'command has to be a string or bytes; it is an array'],
    [['true', null], 'options has to be an object; it is null'],
    [['true', { tty: true }], "options has no 'tty'; what it may have: env, agent, x11, signal, pty, stdin"],
    [['true', { env: { A: 1 } }], 'options.env.A has to be a string or bytes; it is 1'],
    [['true', { env: 'A=b' }], 'options.env has to be an object; it is a string'],
    [['true', { pty: 'yes' }], 'options.pty has to be true, false or an object; it is a string'],
    [
      ['true', { pty: { columns: -1 } }],
      'options.pty.columns has to be a whole number from 0 to 4294967295; it is -1',
    ],
    [
      ['true', { pty: { cols: 80 } }],
      "options.pty has no 'cols'; what it may have: columns, rows, width, height, term, modes",
    ],
    [['true', { stdin: 5 }], 'options.stdin has to be a stream, a string, bytes or null; it is 5'],
    [['true', { x11: {} }], `options.x11.display has to be a string; ${MISSING}`],
  ],
  'connection.shell': [
    [[null], 'options has to be an object; it is null'],
    [[{ pty: {} }], 'options.pty has to be true or false; it is an object'],
    [
      [{ stdin: null }],
      "options has no 'stdin'; what it may have: env, agent, x11, signal, columns, rows, width, height, term, modes, pty",
    ],
  ],
  'connection.subsystem': [
    [[], `name has to be a string with something in it; ${MISSING}`],
    [['sftp', { pty: true }], "options has no 'pty'; what it may have: env, signal"],
  ],
  'connection.openTcp': [
    [[], `host has to be a string with something in it; ${MISSING}`],
    [['localhost'], `port ${TO_PORT}; ${MISSING}`],
    [['localhost', 0], `port ${TO_PORT}; it is 0`],
    [['localhost', '80'], `port ${TO_PORT}; it is a string`],
    [['localhost', 80, { timeoutMs: 5 }], "options has no 'timeoutMs'; what it may have: signal"],
  ],
  'connection.openUnix': [
    [[], `path has to be a string; ${MISSING}`],
    [['/x', { timeoutMs: 5 }], "options has no 'timeoutMs'; what it may have: signal"],
  ],
  'connection.forwardLocal': [
    FROM,
    [[{ port: 0 }], `to has to be an object; ${MISSING}`],
    [[{ port: 65_536 }, { path: '/x' }], 'from.port has to be a whole number from 0 to 65535; it is 65536'],
    [[{ port: 0 }, {}], `to.host has to be a string with something in it; ${MISSING}`],
    [[{ port: 0 }, { host: 'a', port: 0 }], `to.port ${TO_PORT}; it is 0`],
    [[{ port: 0 }, { path: '/x', port: 1 }], 'to.port has to be left out; it is 1'],
    [[{ port: 0 }, { path: '/x' }, { onfailure: 1 }], FORWARD],
  ],
  'connection.forwardDynamic': [FROM, [[{ port: 0 }, { onfailure: 1 }], FORWARD]],
  'connection.forwardRemote': [FROM, [[{ port: 0 }, { path: '/x' }, { onfailure: 1 }], FORWARD]],
  'connection.forwardRemoteDynamic': [FROM, [[{ port: 0 }, { onfailure: 1 }], FORWARD]],
  'connection.rekey': [],
  'connection.ping': [],
  'connection.close': [],
  'files.readFile': [
    PATH,
    [['x', { encoding: 'utf8' }], "options has no 'encoding'; what it may have: signal, limit"],
  ],
  'files.writeFile': [
    PATH,
    [['x'], `data has to be a string or bytes; ${MISSING}`],
    [['x', '', { mode: 0o10000 }], 'options.mode has to be a whole number from 0 to 4095; it is 4096'],
    [['x', '', { flag: 'a' }], "options has no 'flag'; what it may have: signal, mode"],
  ],
  'files.readdir': FILE,
  'files.stat': FILE,
  'files.lstat': FILE,
  'files.mkdir': [
    PATH,
    [['x', { recursive: true }], "options has no 'recursive'; what it may have: signal, mode"],
  ],
  'files.rmdir': FILE,
  'files.remove': FILE,
  'files.rename': [
    [[], `from has to be a string or bytes; ${MISSING}`],
    [['x'], `to has to be a string or bytes; ${MISSING}`],
  ],
  'files.readlink': FILE,
  'files.symlink': [
    [[], `target has to be a string or bytes; ${MISSING}`],
    [['x'], PATH[1]],
  ],
  'files.realpath': FILE,
  'files.setAttributes': [
    PATH,
    [['x'], `attributes has to be an object; ${MISSING}`],
    [['x', { uid: 0 }], "attributes has no 'uid'; what it may have: mode, accessed, modified"],
    [['x', { modified: 5 }], 'attributes.modified has to be a Date that is a time; it is 5'],
  ],
  'files.createReadStream': [
    PATH,
    [['x', { start: -1 }], 'options.start has to be a whole number from 0 to 9007199254740991; it is -1'],
    [['x', { end: '9' }], 'options.end has to be a whole number; it is a string'],
  ],
  'files.createWriteStream': [
    PATH,
    [['x', { flags: 'a' }], "options has no 'flags'; what it may have: signal, mode, start"],
  ],
  'files.upload': [
    [[], `local has to be a string or bytes; ${MISSING}`],
    [['x'], `remote has to be a string or bytes; ${MISSING}`],
    [['x', 'y', { overwrite: true }], TRANSFER],
  ],
  'files.download': [
    [[], `remote has to be a string or bytes; ${MISSING}`],
    [['x', 'y', { overwrite: true }], TRANSFER],
  ],
  'process.output': [
    [[{ limit: -1 }], 'options.limit has to be a whole number from 0 to 9007199254740991; it is -1'],
    [[{ max: 1 }], "options has no 'max'; what it may have: limit"],
  ],
  'process.resize': [
    [[], `size has to be an object; ${MISSING}`],
    [[{ columns: 80 }], `size.rows has to be a whole number from 0 to 4294967295; ${MISSING}`],
  ],
  'process.sendSignal': [[[], `name has to be a string; ${MISSING}`]],
  'process.sendBreak': [[[-1], 'milliseconds has to be a whole number from 0 to 4294967295; it is -1']],
  'process.close': [],
  'served.end': [[[], `reason has to be an SshjobError; ${MISSING}`]],
  'forwarding.close': [],
}

describe('the calls of the library', () => {
  let pair: SessionPair
  let owners: ReadonlyMap<string, object>

  beforeAll(async () => {
    pair = await sessionPair()
    owners = await publicObjects(pair)
  })
  afterAll(() => pair.close())

  it('are all in this table', () => {
    expect(publicCalls(owners).sort()).toEqual(Object.keys(CALLS).sort())
  })

  function find(name: string): Call {
    const [owner = '', method] = name.split('.')
    const target: object = method === undefined ? sshjob : (owners.get(owner) ?? {})
    const found: unknown = Reflect.get(target, method ?? owner)
    if (typeof found !== 'function') throw new Error(`there is no ${name}()`)
    return (...args) => Reflect.apply(found, target, args)
  }

  const wrong = Object.entries(CALLS).flatMap(([name, calls]) =>
    calls.map(([given, complaint]) => [name, complaint, given] as const),
  )
  it.each(wrong)('%s() says: %s', async (name, complaint, given) => {
    const call = async (): Promise<unknown> => find(name)(...given)
    const [target] = given
    const closing =
      target instanceof Object && 'destroyed' in target ? once(Object(target), 'close') : undefined
    await expect(call()).rejects.toMatchObject({
      name: 'SshjobError',
      code: 'usage',
      message: `${name}(): ${complaint}.`,
      retry: false,
    })
    if (name === 'connect') await closing
  })

  it('that give a promise reject, and those that give a stream or nothing throw', () => {
    const throwing = Object.keys(CALLS).filter((name) => {
      const [given] = CALLS[name]?.[0] ?? []
      if (given === undefined) return false
      try {
        Promise.resolve(find(name)(...given)).catch(() => undefined)
        return false
      } catch {
        return true
      }
    })
    expect(throwing.sort()).toEqual([
      'commandStream',
      'files.createReadStream',
      'files.createWriteStream',
      'localJob',
      'process.resize',
      'process.sendSignal',
      'serve',
    ])
  })

  it('take what is right', async () => {
    const output = await pair.client.exec('echo $A', {
      env: { A: 'b' },
      stdin: null,
      pty: false,
    })
    expect((await output.output({ limit: 10 })).stdout.toString()).toBe('b\n')
    await expect(pair.client.files.stat('.', {})).resolves.toMatchObject({ type: 'folder' })
    await expect(pair.client.files.readFile(Buffer.from('/dev/null'))).resolves.toHaveLength(0)
  })
})

it('an option that is undefined counts as left out', () => {
  expect(() =>
    checkCall('call', [{ a: undefined }], [['options', options<{ a?: string }>({ a: text })]]),
  ).not.toThrow()
})
