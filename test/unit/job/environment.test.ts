import { isSettable, makeJobEnvironment, makeSessionEnvironment } from '../../../src/job/environment.js'
import { runIn, TERMINAL, testJob } from '../../helpers/job-session.js'

const toMap = (variables: Record<string, string>): Map<string, Buffer> =>
  new Map(Object.entries(variables).map(([name, value]) => [name, Buffer.from(value)]))
const toObject = (variables: ReadonlyMap<string, Buffer>): Record<string, string> =>
  Object.fromEntries([...variables].map(([name, value]) => [name, value.toString()]))

const session = {
  requested: new Map<string, Buffer>(),
  terminal: undefined,
  jobId: 'train',
  jobPids: [7, 8],
  account: { name: 'ann', home: '/home/ann', shell: '/bin/zsh' },
  shell: '/bin/bash',
}
const filled = { HOME: '/home/ann', USER: 'ann', LOGNAME: 'ann', SHELL: '/bin/bash' }
const marks = { SSHJOB_JOB_ID: 'train', SSHJOB_JOB_PIDS: '7 8' }

describe("the job's environment", () => {
  it('is ours without what is ours alone', () => {
    const ours = { A: 'b', LD_PRELOAD: 'x.so', NODE_OPTIONS: '--x', SSHJOB_LOG: '1', NODE_CHANNEL_FD: '3' }
    const job = makeJobEnvironment(toMap(ours))
    expect(toObject(job)).toEqual({ A: 'b', LD_PRELOAD: 'x.so', NODE_OPTIONS: '--x' })
  })

  it('is without what npx adds, tokens and folders in PATH', () => {
    const npx = {
      npm_lifecycle_event: 'npx',
      'npm_config_//registry.example/:_authToken': 'secret',
      INIT_CWD: '/x',
      NODE: '/usr/bin/node',
      COLOR: '0',
      PATH: '/x/node_modules/.bin:/usr/lib/node_modules/npm/node_modules/@npmcli/run-script/lib/node-gyp-bin:/usr/bin:/bin',
    }
    expect(toObject(makeJobEnvironment(toMap(npx)))).toEqual({ PATH: '/usr/bin:/bin' })
  })

  it("keeps what npm gives to a package's own script", () => {
    const run = {
      npm_lifecycle_event: 'train',
      npm_package_version: '1.0.0',
      PATH: '/x/node_modules/.bin:/bin',
    }
    expect(toObject(makeJobEnvironment(toMap(run)))).toEqual(run)
  })
})

describe("a session's environment", () => {
  it("is the job's, with the marks of the session, and the account's where the job has nothing", () => {
    const made = makeSessionEnvironment(toMap({ A: 'b', LD_LIBRARY_PATH: '/opt/lib' }), session)
    expect(toObject(made)).toEqual({ A: 'b', LD_LIBRARY_PATH: '/opt/lib', ...filled, ...marks })
  })

  it('keeps HOME, USER, LOGNAME and SHELL of the job', () => {
    const own = { HOME: '/scratch', USER: 'bob', LOGNAME: 'bob', SHELL: '/bin/sh' }
    expect(toObject(makeSessionEnvironment(toMap(own), session))).toEqual({ ...own, ...marks })
  })

  it('is without preloaded libraries, and without marks of the terminal and the login of the starter', () => {
    const stale = {
      LD_PRELOAD: 'x.so',
      LD_AUDIT: 'y.so',
      TMUX: '1',
      COLUMNS: '80',
      SSH_TTY: '/dev/pts/9',
      SSH_CLIENT: '1',
    }
    expect(toObject(makeSessionEnvironment(toMap(stale), session))).toEqual({ ...filled, ...marks })
  })

  it('has what the client asks for, but neither loader variables nor names that no shell knows', () => {
    const requested = toMap({
      LANG: 'C',
      LD_PRELOAD: 'x.so',
      'a.b': '1',
      '': '2',
      'BASH_FUNC_ls%%': '() { :; }',
    })
    const made = makeSessionEnvironment(toMap({}), { ...session, requested })
    expect(toObject(made)).toEqual({ LANG: 'C', ...filled, ...marks })
    expect(isSettable('LC_ALL')).toBe(true)
    expect(isSettable('LD_LIBRARY_PATH')).toBe(false)
    expect(isSettable('1A')).toBe(false)
  })

  it('cannot be given the marks of another job', () => {
    const requested = toMap({ SSHJOB_JOB_ID: 'other' })
    expect(toObject(makeSessionEnvironment(new Map(), { ...session, requested }))).toMatchObject(marks)
  })

  it('names the terminal, dumb if the client does not say which', () => {
    const terminal = { term: '', name: '/dev/pts/5' }
    const made = toObject(makeSessionEnvironment(new Map(), { ...session, terminal }))
    expect(made).toMatchObject({ TERM: 'dumb', SSH_TTY: '/dev/pts/5' })
  })

  it('reaches the program byte for byte', async () => {
    const value = Buffer.concat([
      Buffer.from(Array.from({ length: 255 }, (_, n) => n + 1)),
      Buffer.from('\n\n'),
    ])
    const environment = new Map([['BYTES', value]])
    for (const terminal of [undefined, TERMINAL]) {
      const { stdout } = await runIn(testJob(), 'printf %s "$BYTES" | od -An -v -tx1 | tr -d " \\n"', {
        environment,
        terminal,
      })
      expect(stdout).toBe(value.toString('hex'))
    }
  })

  it('hands on what the job has, byte for byte, and exported functions of bash', async () => {
    const environment = new Map([
      ['PATH', Buffer.from('/usr/bin:/bin')],
      ['RAW', Buffer.from('\xff\xfe', 'latin1')],
      ['BASH_FUNC_module%%', Buffer.from('() { echo loaded; }')],
    ])
    const job = testJob({ environment, shells: ['/bin/bash'] })
    const { stdout } = await runIn(job, 'module; printf %s "$RAW" | od -An -tx1', { terminal: TERMINAL })
    expect(stdout).toBe('loaded\r\n ff fe\r\n')
  })
})
