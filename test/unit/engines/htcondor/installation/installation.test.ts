import { spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { formatFindings } from '../../../../../src/cli/htcondor/format-findings.js'
import { splitArguments } from '../../../../../src/engines/htcondor/arguments.js'
import { describeNode } from '../../../../../src/engines/htcondor/installation/execution-point-checks.js'
import {
  commandIn,
  keygenScript,
  serverScript,
} from '../../../../../src/engines/htcondor/installation/launchers.js'
import {
  doWithoutParts,
  outsideParts,
} from '../../../../../src/engines/htcondor/installation/outside-parts.js'
import {
  copyOwnFiles,
  loadedLibraries,
  ownNode,
} from '../../../../../src/engines/htcondor/installation/own-files.js'
import {
  checkPrefix,
  formatSettings,
  readPrefix,
  settingsIn,
} from '../../../../../src/engines/htcondor/installation/settings-file.js'
import { countStartersBefore } from '../../../../../src/engines/htcondor/installation/starters.js'
import { itAsRoot } from '../../../../helpers/needs.js'
import { temporaryDirectory } from '../../../../helpers/temporary-directory.js'

describe('the settings for HTCondor', () => {
  const text = formatSettings('/opt/sshjob', {
    server: '/opt/sshjob/current/bin/sshjob-server',
    keygen: '/opt/sshjob/current/bin/sshjob-keygen',
  })

  it('name the programs, and the arguments in HTCondor’s syntax', () => {
    const settings = new Map(settingsIn(text))
    expect(settings.get('SSH_TO_JOB_SSHD')).toBe('/opt/sshjob/current/bin/sshjob-server')
    expect(splitArguments(settings.get('SSH_TO_JOB_SSHD_ARGS') ?? '')).toEqual(['-i', '-e', '-f', '%f'])
    expect(splitArguments(settings.get('SSH_TO_JOB_SSH_KEYGEN_ARGS') ?? '')).toEqual([
      '-N',
      '',
      '-C',
      '',
      '-q',
      '-f',
      '%f',
      '-t',
      'ed25519',
    ])
    expect(settings.size).toBe(4)
  })

  it('say where the copy is, and are nobody else’s', () => {
    expect(readPrefix(text, 'x.conf')).toBe('/opt/sshjob')
    expect(() => readPrefix('SSH_TO_JOB_SSHD = /usr/sbin/sshd\n', 'x.conf')).toThrow(
      "x.conf was not written by 'sshjob htcondor install': it is left alone.",
    )
  })

  it.each(['relative', '/with blank', "/with'quote", '/with$macro', '/with%f', '/'])(
    'take no prefix like %j',
    (prefix) => {
      expect(() => checkPrefix(prefix)).toThrow('--prefix takes an absolute path')
    },
  )
})

describe('the launchers', () => {
  const folder = temporaryDirectory()

  it('say what they start', () => {
    expect(commandIn(serverScript(['/a/node', '/a/server.cjs']))).toEqual(['/a/node', '/a/server.cjs'])
    expect(commandIn('#!/bin/sh\nexec /a/node /a/server.cjs "$@"\n')).toBeUndefined()
  })

  it('end as the server does', () => {
    const { status } = spawnSync('/bin/sh', ['-c', serverScript(['/bin/sh']), 'sh', '-c', 'exit 7'])
    expect(status).toBe(7)
  })

  itAsRoot('make a key with nothing of the job’s variables, for a user without an account too', async () => {
    const program = path.join(folder(), 'keygen')
    writeFileSync(program, `#!/bin/sh\ntr '\\0' '\\n' </proc/$$/environ; echo "$@"\n`, { mode: 0o755 })
    const script = keygenScript(['/bin/sh', program])
    const env = { PATH: process.env.PATH, LD_AUDIT: '/evil.so', OPENSSL_CONF: '/evil', BASH_ENV: '/evil' }
    // A folder of this run, which other users can't enter, is open to this one by its descriptor.
    const stdin = openSync(program, 'r')
    const nobody = { uid: 54_321, gid: 54_321, cwd: '/' }
    const { stdout } = spawnSync('/bin/sh', ['-c', script.replace(program, '/dev/stdin'), 'sh', '-q'], {
      env,
      stdio: [stdin, 'pipe', 'ignore'],
      ...nobody,
    })
    closeSync(stdin)
    expect(stdout.toString()).not.toMatch(/evil|PATH/)
    expect(stdout.toString()).toMatch(/^-q$/m)
  })
})

describe('the copy of Node.js', () => {
  const SYSTEM = ['/lib64/ld-linux-x86-64.so.2', '/lib/x86_64-linux-gnu/libc.so.6', '/usr/lib/libstdc++.so.6']

  it('is one file where it needs no more than the system has', () => {
    const addon = '/opt/sshjob/node_modules/ssh2/lib/protocol/crypto/build/Release/sshcrypto.node'
    expect(ownNode('/usr/bin/node', ['linux-vdso.so.1', ...SYSTEM, addon])).toEqual({
      files: [{ from: '/usr/bin/node', to: 'bin/node' }],
      command: ['bin/node'],
    })
  })

  it('is started by the loader where a distribution has taken it apart', () => {
    const libraries = [...SYSTEM, '/lib/x86_64-linux-gnu/libnode.so.115', '/lib/x86_64-linux-gnu/libuv.so.1']
    expect(ownNode('/usr/bin/node', libraries)).toEqual({
      files: [
        { from: '/usr/bin/node', to: 'bin/node' },
        { from: '/lib/x86_64-linux-gnu/libnode.so.115', to: 'lib/libnode.so.115' },
        { from: '/lib/x86_64-linux-gnu/libuv.so.1', to: 'lib/libuv.so.1' },
      ],
      command: ['/lib64/ld-linux-x86-64.so.2', '--library-path', 'lib', 'bin/node'],
    })
  })

  it('takes what this process has loaded', () => {
    expect(loadedLibraries().some((file) => path.basename(file).startsWith('libc.'))).toBe(true)
  })
})

describe('what a distribution keeps apart from Node.js', () => {
  const PARTS = ['/usr/share/nodejs/undici/undici-fetch.js', '/usr/share/nodejs/acorn/dist/acorn.js']
  const files = temporaryDirectory()

  function library(...texts: string[]): string {
    const file = path.join(files(), 'libnode.so')
    writeFileSync(file, `\x7fELF\0${texts.map((text) => `${text}\0`).join('more\0')}"${PARTS[0]}"\0`)
    return file
  }

  it('is what it was configured with', () => {
    const defines = [
      'NODE_OPENSSL_CONF_NAME=nodejs_conf',
      ...PARTS.map((part) => `NODE_SHARED_BUILTIN_A_PATH=${part}`),
    ]
    expect(outsideParts(defines)).toEqual(PARTS)
    expect(outsideParts([])).toEqual([])
  })

  it('is not read by a copy, nor by a copy of that', () => {
    const other = path.join(files(), 'libuv.so')
    writeFileSync(other, 'other')
    const file = library(...PARTS)
    const before = readFileSync(file, 'latin1')
    doWithoutParts([other, file], PARTS)
    const after = readFileSync(file, 'latin1')
    const nothing = (part: string): string => '/proc/sys/kernel/pid_max'.padEnd(part.length, '\0')
    // Only whole literals: the texts in which they are stay as they are.
    expect(after).toBe(
      PARTS.reduce((text, part) => text.replace(`\0${part}\0`, `\0${nothing(part)}\0`), before),
    )
    doWithoutParts([other, file], PARTS)
    expect(readFileSync(file, 'latin1')).toBe(after)
  })

  it.each([
    ['is not there', [PARTS[0] ?? ''], PARTS],
    ['is too short', ['/lib/a.js'], ['/lib/a.js']],
  ])('is an error where a path %s', (_, there, wanted) => {
    expect(() => doWithoutParts([library(...there)], wanted)).toThrow(
      `This Node.js reads ${wanted.at(-1)} when it starts`,
    )
  })
})

describe('copying', () => {
  it('makes the folders, and follows links', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'sshjob-test-'))
    writeFileSync(path.join(folder, 'a'), 'text')
    copyOwnFiles([{ from: path.join(folder, 'a'), to: 'deep/er/b' }], path.join(folder, 'copy'))
    expect(readFileSync(path.join(folder, 'copy/deep/er/b'), 'utf8')).toBe('text')
    expect(readdirSync(path.join(folder, 'copy'))).toEqual(['deep'])
    rmSync(folder, { recursive: true })
  })
})

describe('what the doctor has found', () => {
  it('is a line each, with the advice below', () => {
    expect(
      formatFindings([
        { level: 'ok', text: 'Fine.' },
        { level: 'broken', text: 'Not fine.', advice: 'Mend it.' },
      ]),
    ).toBe('ok      Fine.\nbroken  Not fine.\n        Mend it.\n')
  })

  it.each([
    ['v20.20.2', ['v24.1.0'], 'trap', 'v20.20.2, which gets no security updates any more, since 2026-04-30.'],
    ['v22.9.0', ['v20.1.0', 'v22.10.0'], 'trap', 'v22.9.0, and the one of this machine is v22.10.0.'],
    ['v22.10.0', ['v22.9.0'], 'ok', 'until 2027-04-30.'],
    ['v99.0.0', ['x'], 'ok', "v99.0.0, which only 'sshjob htcondor install' brings up to date."],
  ])('says how old the Node.js of a copy is: %s', (version, others, level, end) => {
    const found = describeNode({ version, others, prefix: '/opt/sshjob' }, new Date('2026-05-01'))
    expect(found).toMatchObject({ level, text: expect.stringMatching(/^The copy's Node\.js is /) })
    expect(found.text.endsWith(end)).toBe(true)
    expect(found.advice === undefined).toBe(level === 'ok')
  })

  it('counts no starter where none runs', () => {
    expect(countStartersBefore(new Date(0))).toBe(0)
  })
})
