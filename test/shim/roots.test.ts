import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { VERSION } from '../../src/core/version.js'
import { findShim, shimCommand } from '../../src/enter/shim.js'
import { describeWith, describeWithMounts } from '../helpers/needs.js'
import { runProgram } from '../helpers/programs.js'
import { emptyRoot, expectSessions, IN_ROOT, MOUNTED, runIn, shimFor, through } from './shims.js'

const SHIM = shimFor(process.arch)
let base: string

beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'roots-'))
})

afterAll(() => rmSync(base, { recursive: true, force: true }))

function put(root: string, file: string, text: string): void {
  mkdirSync(dirname(join(root, file)), { recursive: true })
  writeFileSync(join(root, file), text)
}

/** What an image without a shell is entered by, and one with its own. */
const BY_OUR_SHELL = [`${MOUNTED}/bin/sh`, `${MOUNTED}/sshjob-server`, '-i']
const BY_ITS_SHELL = [`${MOUNTED}/sshjob-server`, '-i']

const inRoot = (root: string, ...command: string[]): string[] => [IN_ROOT, SHIM, root, 'devices', ...command]

/** The files of a root, with their sizes and times. */
const contentOf = (root: string): string =>
  execFileSync('find', ['.', '-xdev', '-printf', '%p %y %m %u %s %T@ %C@\n'], { cwd: root, encoding: 'utf8' })

/** Which files the server of a session has mapped, and what its parent had. */
const MAPPED = "tr ' ' '\\n' </proc/$PPID/maps | grep ^/ | sort -u"

/** Loads both addons, and opens a terminal where there is one. */
const PROBE = `
process.chdir('/')
const load = require('node:module').createRequire(process.argv[1] + '/programs/')
const pty = load('node-pty').native
let terminal
try { terminal = pty.open(80, 24).pty } catch (error) { terminal = error.message }
const pid = load('koffi').load(null).func('int getpid()')()
console.log(JSON.stringify({ terminal, koffi: pid === process.pid, cwd: process.cwd() }))
`

describeWithMounts('an empty root', () => {
  let root: string

  beforeAll(() => {
    root = emptyRoot(join(base, 'empty'))
  })

  it('with nothing but the shim and /proc: the programs and addons run', async () => {
    const before = contentOf(root)
    const version = await runIn(root, 'none', [`${MOUNTED}/bin/sh`, `${MOUNTED}/sshjob-server`, '--version'])
    expect(version).toMatchObject({ exitCode: 0, stdout: `sshjob-server ${VERSION}\n`, stderr: '' })
    const shim = { ...(await findShim({ given: SHIM })), directory: MOUNTED }
    const probe = shimCommand(shim, '').slice(0, -1)
    const loaded = await runIn(root, 'none', [...probe, '-e', PROBE, MOUNTED])
    expect({ ...loaded, stdout: JSON.parse(loaded.stdout) }).toMatchObject({
      stdout: { terminal: 'openpty(3) failed.', koffi: true, cwd: '/' },
      stderr: '',
    })
    expect(contentOf(root)).toBe(before)
  })

  it('sessions, with the devices that every container has', async () => {
    const before = contentOf(root)
    await expectSessions(inRoot(root, ...BY_OUR_SHELL))
    expect(contentOf(root)).toBe(before)
  })

  it("the shell is the shim's, and has the usual programs", async () => {
    const { stdout } = await through(inRoot(root, ...BY_OUR_SHELL), ['echo $SHELL; which vi ps wget; ls /'])
    expect(stdout).toBe(`${MOUNTED}/bin/sh\ndev\nopt\nproc\ntmp\n`)
    const help = await through(inRoot(root, ...BY_OUR_SHELL), ['busybox --list'])
    for (const applet of ['vi', 'ps', 'wget', 'top', 'less', 'tar', 'nc', 'find', 'nslookup'])
      expect(help.stdout.split('\n')).toContain(applet)
  })

  it("the container's variables are the session's, byte for byte, whatever they would have Node.js do", async () => {
    const variables = [
      'NODE_OPTIONS=--inspect=0',
      `LONG=${'x'.repeat(100_000)}`,
      'EMPTY=',
      "LATIN=$(printf 'caf\\351')",
    ]
    const server = inRoot(root, `${MOUNTED}/bin/busybox`, 'env', ...variables, ...BY_OUR_SHELL)
    const show =
      'echo "$NODE_OPTIONS|$EMPTY|$PATH|$(printf %s "$LONG" | wc -c)"; printf %s "$LATIN" | od -An -tx1; env | grep SHJOB_SHIM'
    const { stdout, stderr } = await through(server, [show])
    expect({ stdout, stderr }).toEqual({
      stdout: '--inspect=0||/usr/local/bin:/usr/bin:/bin|100000\n 63 61 66 e9\n',
      stderr: '',
    })
  })

  it('walked in through descriptors, the programs and addons run, and a terminal is of the root', async () => {
    const shim = await findShim({ given: SHIM })
    const place = { loader: '/proc/self/fd/3', directory: '/proc/self/fd/4' }
    const command = shimCommand(shim, '', place).slice(0, -1)
    // With the descriptors of before it changes its root: there is no shim to be seen in it.
    const words = [
      'unshare',
      '--mount',
      '--pid',
      '--fork',
      '--kill-child',
      'sh',
      '-c',
      `
      exec 3<"$1/${shim.loader}" 4<"$1"; root=$2; probe=$3; shift 3
      mount -t proc proc "$root/proc"; mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
      exec chroot "$root" "$@" -e "$probe" /proc/self/fd/4`,
    ]
    const walked = emptyRoot(join(base, 'walked'))
    mkdirSync(join(walked, 'dev/pts'))
    symlinkSync('pts/ptmx', join(walked, 'dev/ptmx'))
    const [first = '', ...rest] = [...words, 'sh', SHIM, walked, PROBE, ...command]
    const { stdout, stderr } = await runProgram(first, rest, { env: { PATH: process.env.PATH } })
    expect(stderr).toBe('')
    expect(JSON.parse(stdout)).toEqual({ terminal: '/dev/pts/0', koffi: true, cwd: '/' })
  })

  it('walked in through descriptors, the server has sessions, whose shell is reached through it', async () => {
    const shim = await findShim({ given: SHIM })
    const command = shimCommand(shim, 'sshjob-server.cjs', {
      loader: '/proc/self/fd/3',
      directory: '/proc/self/fd/4',
    })
    const script = join(base, 'walk-in')
    writeFileSync(
      script,
      `#!/bin/sh
[ $$ = 1 ] || exec unshare --mount --pid --fork --kill-child "$0"
root=${root}
exec 3<${SHIM}/${shim.loader} 4<${SHIM}
mount -t proc proc $root/proc; mount -t tmpfs dev $root/dev
mknod -m 666 $root/dev/null c 1 3; mknod -m 666 $root/dev/tty c 5 0
mkdir $root/dev/pts; mount -t devpts -o newinstance,ptmxmode=0666 devpts $root/dev/pts; ln -s pts/ptmx $root/dev/ptmx
cd /; exec chroot $root ${command.join(' ')} -i
`,
    )
    chmodSync(script, 0o755)
    await expectSessions([script])
    const { stdout } = await through(
      [script],
      ['ls -l /proc/self/fd | grep -c sshjob; echo $SHELL; ls /opt/sshjob'],
    )
    expect(stdout).toMatch(/^0\n\/proc\/1\/fd\/4\/bin\/sh\n$/)
  })
})

describeWithMounts('a place whose /proc is of another PID namespace', () => {
  it("has its own variables, and not those of the process that has the launcher's number there", async () => {
    const places = join(base, 'a place')
    symlinkSync(SHIM, places)
    // Process 1 of this machine is another one's.
    const server = [
      'unshare',
      '--pid',
      '--fork',
      '--kill-child',
      'env',
      '-i',
      'MINE=yes',
      `'${places}/sshjob-server'`,
      '-i',
    ]
    const { stdout, stderr } = await through(server, ['echo "$MINE,$PATH"'])
    expect({ stdout, stderr }).toEqual({ stdout: expect.stringMatching(/^yes,/), stderr: '' })
  })
})

describeWith(['musl-gcc'], 'an image of musl', () => {
  describeWithMounts('as Alpine is one', () => {
    let root: string

    beforeAll(() => {
      root = emptyRoot(join(base, 'musl'))
      mkdirSync(join(root, 'bin'))
      mkdirSync(join(root, 'lib'))
      copyFileSync(join(SHIM, 'bin/busybox'), join(root, 'bin/sh'))
      const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64'
      // As there, the C library is the loader too.
      copyFileSync(`/lib/ld-musl-${machine}.so.1`, join(root, `lib/ld-musl-${machine}.so.1`))
      symlinkSync(`ld-musl-${machine}.so.1`, join(root, `lib/libc.musl-${machine}.so.1`))
      put(root, 'etc/alpine-release', '3.22.0\n')
      put(base, 'hello.c', '#include <stdio.h>\nint main(void) { puts("from musl"); return 0; }\n')
      execFileSync('musl-gcc', ['-o', join(root, 'bin/hello'), join(base, 'hello.c')])
    })

    it('has sessions, and its own programs run in them', async () => {
      await expectSessions(inRoot(root, ...BY_ITS_SHELL))
      const { stdout } = await through(inRoot(root, ...BY_ITS_SHELL), [`/bin/hello; echo $SHELL; ${MAPPED}`])
      expect(stdout.split('\n').slice(0, 2)).toEqual(['from musl', '/bin/sh'])
      expect(stdout).toContain(`${MOUNTED}/lib/libc.so.6`)
      expect(stdout).not.toContain('musl-')
    })
  })
})

describeWith(['debootstrap'], 'the oldest glibc that can be had', () => {
  describeWithMounts('in an image of Debian', () => {
    let root: string

    beforeAll(async () => {
      const { stdout, stderr, exitCode } = await runProgram(join(process.cwd(), 'test/shim/oldest-root'), [])
      if (exitCode !== 0) throw new Error(stderr)
      root = stdout.trim()
    }, 600_000)

    it("has sessions, in the image's own shell", async () => {
      await expectSessions(inRoot(root, ...BY_ITS_SHELL))
      const { stdout } = await through(inRoot(root, ...BY_ITS_SHELL), [
        `echo $SHELL; ldd --version | head -1; ${MAPPED}`,
      ])
      const [shell, glibc, ...mapped] = stdout.trim().split('\n')
      expect(shell).toBe('/bin/bash')
      expect(glibc).toMatch(/^ldd \(Debian GLIBC 2\./)
      expect(mapped.filter((file) => !file.startsWith(`${MOUNTED}/`))).toEqual([])
    })

    it('is found in, where the launcher is reached by a link', async () => {
      const link = ['sh', '-c', `"ln -s ${MOUNTED}/sshjob-server /tmp/s; /tmp/s -i; rm /tmp/s"`]
      expect(await through(inRoot(root, ...link), ['id -un'])).toMatchObject({
        stdout: 'root\n',
        exitCode: 0,
      })
    })
  })
})

describeWith(['gcc'], 'an image that wants to be run by us', () => {
  describeWithMounts('has nothing of it run', () => {
    /** Where a library of the image would say that it was loaded. */
    const TOLD = 'tmp/told'
    let root: string

    beforeAll(() => {
      root = emptyRoot(join(base, 'hostile'))
      put(
        base,
        'evil.c',
        `#include <fcntl.h>
        __attribute__((constructor)) static void tell(void) { open("/${TOLD}", O_CREAT | O_WRONLY, 0644); }`,
      )
      const evil = join(base, 'evil.so')
      execFileSync('gcc', ['-shared', '-fPIC', '-nostdlib', '-o', evil, join(base, 'evil.c')])
      const triplet = process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu'
      for (const directory of ['lib', 'usr/lib', `lib/${triplet}`, `usr/lib/${triplet}`]) {
        mkdirSync(join(root, directory), { recursive: true })
        for (const name of ['libnss_evil.so.2', 'libc.so.6', 'libnss_compat.so.2', 'libutil.so.1'])
          copyFileSync(evil, join(root, directory, name))
      }
      put(root, 'etc/ld.so.preload', '/lib/libnss_evil.so.2\n')
      put(root, 'etc/nsswitch.conf', 'passwd: evil files\ngroup: evil files\nhosts: evil files dns\n')
      put(root, 'etc/passwd', 'someone:x:0:0::/:/bin/none\n')
      put(root, 'etc/hosts', '127.0.0.9 web.example\n')
      // As config(5SSL) has it: an engine, which is a library.
      put(
        root,
        'etc/ssl/openssl.cnf',
        'nodejs_conf = all\nopenssl_conf = all\n[all]\nengines = some\n[some]\nevil = one\n[one]\ndynamic_path = /lib/libnss_evil.so.2\n',
      )
      put(root, 'package.json', 'this is no JSON')
      put(root, 'opt/package.json', 'this is no JSON')
      const told = `require('node:fs').writeFileSync('/${TOLD}', '')`
      for (const modules of ['node_modules', 'opt/node_modules', '.node_modules', 'root/.node_modules']) {
        put(root, `${modules}/ssh2/package.json`, '{ "version": "1.17.0" }')
        const ciphers = join(root, modules, 'ssh2/lib/protocol/crypto/build/Release')
        mkdirSync(ciphers, { recursive: true })
        copyFileSync(evil, join(ciphers, 'sshcrypto.node'))
        for (const name of ['node-pty', 'koffi', 'cpu-features'])
          put(root, `${modules}/${name}/index.js`, told)
      }
      put(root, 'evil.js', told)
    })

    it('neither libraries, nor settings of the loader, of OpenSSL, of Node.js and its packages', async () => {
      const variables = [
        'NODE_OPTIONS=--require=/evil.js',
        'NODE_PATH=/node_modules',
        'HOME=/',
        'LD_LIBRARY_PATH=/lib',
        'OPENSSL_CONF=/etc/ssl/openssl.cnf',
      ]
      const server = inRoot(
        root,
        `${MOUNTED}/bin/busybox`,
        'env',
        ...variables,
        'LD_PRELOAD=/lib/libnss_evil.so.2',
        'LD_AUDIT=/lib/libnss_evil.so.2',
        ...BY_OUR_SHELL,
      )
      await expectSessions(server)
      const { stdout, stderr } = await through(server, [`id -un; ${MAPPED}`])
      expect(stderr).toBe('')
      const [user, ...mapped] = stdout.trim().split('\n')
      expect(user).toBe('someone')
      expect(mapped.filter((file) => !file.startsWith(`${MOUNTED}/`))).toEqual([])
      expect(existsSync(join(root, TOLD))).toBe(false)
    })

    it('also not for a job, which has these variables', async () => {
      const variables = [
        'NODE_OPTIONS=--require=/evil.js',
        'LD_PRELOAD=/lib/libnss_evil.so.2',
        'LD_LIBRARY_PATH=/lib',
      ]
      const command = [`${MOUNTED}/bin/sh`, '-c', `env | grep -c evil; ${MAPPED}`]
      const { stdout, stderr } = await runIn(root, 'devices', [
        ...[`${MOUNTED}/bin/busybox`, 'env', ...variables],
        ...[`${MOUNTED}/bin/sh`, `${MOUNTED}/sshjob-server`, '-q', '--require-session', '--', ...command],
      ])
      expect(stderr).toBe('')
      const [count, ...mapped] = stdout.trim().split('\n')
      expect(count).toBe('2')
      expect(mapped).toContain(`${MOUNTED}/bin/node`)
      expect(mapped.filter((file) => !file.startsWith(`${MOUNTED}/`))).toEqual([])
      expect(existsSync(join(root, TOLD))).toBe(false)
    })

    it('also where Node.js looks for a user and a host', async () => {
      const shim = { ...(await findShim({ given: SHIM })), directory: MOUNTED }
      const look = `
        const { userInfo } = require('node:os')
        require('node:dns').lookup('web.example', (error, address) =>
          console.log(userInfo().username, error ?? address, require('node:fs').readFileSync('/proc/self/maps', 'utf8').includes('evil')))`
      const { stdout, stderr } = await runIn(root, 'none', [
        ...shimCommand(shim, '').slice(0, -1),
        '-e',
        look,
      ])
      expect({ stdout, stderr }).toEqual({ stdout: 'someone 127.0.0.9 false\n', stderr: '' })
      expect(existsSync(join(root, TOLD))).toBe(false)
    })
  })
})
