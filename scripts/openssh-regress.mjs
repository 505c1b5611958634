// OpenSSH's own regress suite (Debian's package openssh-tests), against our server and against sshd.
// `npm run test:openssh-regress -- [--quick | --ours | --sshd] [NAME…]`. --quick leaves out what takes minutes, and asks
// sshd only where our server fails.
import { spawn, spawnSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { REFUSED, SLOW, TESTS } from '../test/openssh-regress/tests.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const SUITE = '/usr/lib/openssh/regress'
const SSHD = '/usr/sbin/sshd'
const LIMIT_MS = 600_000
const WIDTH = 22
/** So many at a time: each has a network of its own, where that can be had. */
const WORKERS = 2

const args = process.argv.slice(2)
const names = args.filter((arg) => !arg.startsWith('-'))
const OPTIONS = ['--quick', '--ours', '--sshd']
const quick = args.includes('--quick')
const columns = args.includes('--ours') ? ['sshjob'] : args.includes('--sshd') ? ['sshd'] : ['sshjob', 'sshd']
const unknown = [
  ...names.filter((name) => !TESTS.includes(name)),
  ...args.filter((arg) => arg.startsWith('-') && !OPTIONS.includes(arg)),
]
if (unknown.length > 0) {
  console.error(`There is no such test or option: ${unknown.join(' ')}.`)
  process.exit(1)
}
if (!existsSync(SUITE) || !existsSync(SSHD)) {
  console.log(
    `skipped: ${SUITE} and sshd are needed: install Debian's packages openssh-tests and openssh-server.`,
  )
  process.exit(process.env.SSHJOB_TEST_REQUIRE_ALL === '1' ? 1 : 0)
}

const work = mkdtempSync(join(tmpdir(), 'sj-'))
process.on('exit', () => rmSync(work, { recursive: true, force: true }))
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1))

/** @param {string} name @param {string} text */
function program(name, text) {
  const file = join(work, name)
  writeFileSync(file, text)
  chmodSync(file, 0o755)
  return file
}

const quote = (text) => `'${text.replaceAll("'", "'\\''")}'`

/**
 * Our server in sshd's place. The environment of its sessions is the server's own, the job's: so it is started with as
 * little as sshd would give. PAM is refused by name. Without -i, -t or -T it is asked for a daemon.
 */
function makeServer() {
  const clean = `env -i HOME="$HOME" PATH="$PATH" USER="$USER" LOGNAME="$LOGNAME" SHELL=/bin/sh`
  const node = quote(process.execPath)
  const server = program(
    'sshjob-server',
    `#!/bin/sh\ncd "$HOME" 2>/dev/null || cd /\nexec ${clean} ${node} ${quote(join(root, 'dist/sshjob-server.cjs'))} -o UsePAM=no "$@"\n`,
  )
  const inetd = quote(join(root, 'test/openssh-regress/inetd.mjs'))
  return program(
    'sshd',
    `#!/bin/sh\nfor word in "$@"; do case $word in -[itT]) exec ${quote(server)} "$@";; esac; done\nexec ${node} ${inetd} ${quote(server)} "$@"\n`,
  )
}

/** ssh, but that it knows only the algorithms that our server has: the suite tries every one that ssh names. */
function makeClient(server) {
  const key = join(work, 'key')
  spawnSync('ssh-keygen', ['-q', '-N', '', '-t', 'ed25519', '-f', key])
  writeFileSync(join(work, 'config'), `HostKey ${key}\n`)
  const { stdout } = spawnSync(server, ['-T', '-f', join(work, 'config')], { encoding: 'utf8' })
  const known = stdout
    .split('\n')
    .filter((line) => /^(ciphers|macs|kexalgorithms|hostkeyalgorithms) /.test(line))
  const list = known.flatMap((line) => line.split(' ')[1].split(','))
  writeFileSync(join(work, 'algorithms'), [...list, 'ssh-rsa', ''].join('\n'))
  return program(
    'ssh',
    `#!/bin/sh\nquery=\nfor word in "$@"; do\n  if [ "$query" = next ]; then query=$word; break; fi\n  if [ "$word" = -Q ]; then query=next; fi\ndone\ncase $query in\n  cipher*|mac|kex|key*) ssh -Q "$query" | grep -xFf ${quote(join(work, 'algorithms'))}; exit;;\nesac\nexec ssh "$@"\n`,
  )
}

const ourServer = makeServer()
const ENVIRONMENTS = {
  sshjob: { TEST_SSH_SSHD: ourServer, TEST_SSH_SSH: makeClient(ourServer) },
  sshd: { TEST_SSH_SSHD: SSHD, TEST_SSH_SSH: 'ssh' },
}
/**
 * Ports are fixed in several tests: those of a network of its own collide with nobody's. And of processes that a test
 * leaves, agents and masters of connections, none outlives its namespace: pid_namespaces(7).
 */
const APART = ['--net', '--pid', '--fork', '--mount-proc', '--kill-child=KILL']
const alone =
  process.getuid?.() === 0 && spawnSync('unshare', [...APART, 'ip', 'link', 'set', 'lo', 'up']).status === 0
/** The groups of the tests that run. */
const running = new Set()
process.on('exit', () => running.forEach(endGroup))

function endGroup(pid) {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if (error.code !== 'ESRCH') throw error
  }
}

/** Runs one test; resolves with 'passes', 'fails' or 'skipped', and what it said last. */
function run(column, name) {
  const folder = mkdtempSync(join(work, `${column}-`))
  cpSync(SUITE, folder, { recursive: true })
  // The suite compares it with the account's.
  const home = userInfo().homedir
  const script = `exec sh ${folder}/test-exec.sh ${folder} ${folder}/${name}.sh </dev/zero 2>&1`
  const inside = alone
    ? ['unshare', [...APART, 'sh', '-c', `ip link set lo up; ${script}`]]
    : ['sh', ['-c', script]]
  const child = spawn(...inside, {
    cwd: folder,
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
    env: {
      HOME: home,
      PATH: process.env.PATH,
      ...{ OBJ: folder, BUILDDIR: folder, TMPDIR: work, TEST_SHELL: 'sh', TEST_SSH_UNSAFE_PERMISSIONS: '1' },
      ...{ TEST_SSH_IPV6: 'yes', TEST_SSH_ECC: 'yes', TEST_SSH_SFTPSERVER: '/usr/lib/openssh/sftp-server' },
      ...{ TEST_SSH_PLINK: 'plink', TEST_SSH_PUTTYGEN: 'puttygen', TEST_SSH_CONCH: 'conch3' },
      ...ENVIRONMENTS[column],
    },
  })
  running.add(child.pid)
  let said = ''
  child.stdout.on('data', (chunk) => {
    said = (said + chunk).slice(-100_000)
  })
  const started = Date.now()
  const limit = setTimeout(() => endGroup(child.pid), LIMIT_MS)
  return new Promise((resolve) => {
    child.once('exit', (status) => {
      clearTimeout(limit)
      endGroup(child.pid)
      running.delete(child.pid)
      const skipped = status === 0 && /^SKIPPED: /m.test(said)
      const result = status !== 0 ? 'fails' : skipped ? 'skipped' : 'passes'
      const log = result === 'fails' ? readTail(join(folder, 'failed-sshd.log')) : ''
      rmSync(folder, { recursive: true, force: true })
      resolve({ result, said, log, seconds: Math.round((Date.now() - started) / 1000) })
    })
  })
}

function readTail(file) {
  return existsSync(file) ? readFileSync(file, 'utf8').slice(-4_000) : ''
}

const results = new Map()
const isWanted = (name) => (names.length === 0 ? !quick || !SLOW.has(name) : names.includes(name))
const wanted = TESTS.filter(isWanted)

/** @param {{ column: string, name: string }[]} runs */
async function runAll(runs) {
  const worker = async () => {
    for (let next = runs.shift(); next !== undefined; next = runs.shift()) {
      const { column, name } = next
      const outcome = await run(column, name)
      results.set(`${column} ${name}`, outcome)
      if (process.stderr.isTTY)
        process.stderr.write(`${column} ${name} ${outcome.result}, ${outcome.seconds} s\n`)
    }
  }
  await Promise.all(Array.from({ length: alone && runs.length > 1 ? WORKERS : 1 }, worker))
}

/**
 * Some of the tests race: 'forwarding' connects to the end of a chain while ssh, in the background already, is still
 * asking for its links. One that fails is run once more, with the machine to itself, and says that it was.
 */
async function runFailedAgain(column) {
  for (const name of wanted.filter((name) => results.get(`${column} ${name}`)?.result === 'fails')) {
    await runAll([{ column, name }])
    const outcome = results.get(`${column} ${name}`)
    results.set(`${column} ${name}`, { ...outcome, note: ' (2nd)' })
  }
}

const first = quick ? columns.slice(0, 1) : columns
const isRun = (column, name) => column === 'sshd' || !REFUSED.has(name)
await runAll(
  wanted.flatMap((name) => first.filter((column) => isRun(column, name)).map((column) => ({ column, name }))),
)
for (const column of first) await runFailedAgain(column)
if (quick) {
  const failed = wanted.filter((name) => results.get(`sshjob ${name}`)?.result === 'fails')
  await runAll(failed.map((name) => ({ column: 'sshd', name })))
}

const of = (column, name) => results.get(`${column} ${name}`)
const show = (column, name) => {
  const outcome = of(column, name)
  if (outcome === undefined) return column === 'sshjob' && columns.includes(column) ? 'refused' : '-'
  return `${outcome.result} ${outcome.seconds} s${outcome.note ?? ''}`
}
console.log(`${'test'.padEnd(WIDTH)}${'sshjob-server'.padEnd(WIDTH)}sshd`)
const worse = []
for (const name of wanted) {
  const why = REFUSED.has(name) ? `  (${REFUSED.get(name)})` : ''
  console.log(`${name.padEnd(WIDTH)}${show('sshjob', name).padEnd(WIDTH)}${show('sshd', name)}${why}`)
  if (of('sshjob', name)?.result === 'fails' && of('sshd', name)?.result !== 'fails') worse.push(name)
}
const count = (column, result) => wanted.filter((name) => of(column, name)?.result === result).length
const totals = first.map((column) => {
  const refused = column === 'sshjob' ? wanted.filter((name) => REFUSED.has(name)).length : 0
  const refusals = refused === 0 ? '' : `, ${refused} of features that are refused by name`
  return `${column}: ${count(column, 'passes')} pass, ${count(column, 'fails')} fail, ${count(column, 'skipped')} skipped${refusals}`
})
console.log(`\n${totals.join('\n')}`)
for (const name of worse) {
  const { said, log } = of('sshjob', name)
  console.log(`\n-- ${name}\n${said.split('\n').slice(-15).join('\n')}\n${log}`)
}
if (process.env.SSHJOB_TEST_SUMMARY !== undefined && columns.includes('sshjob')) {
  const failed = worse.length
  appendFileSync(process.env.SSHJOB_TEST_SUMMARY, `${count('sshjob', 'passes')} ${failed} 0\n`)
}
process.exitCode = worse.length > 0 ? 1 : 0
