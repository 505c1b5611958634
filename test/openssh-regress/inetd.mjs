// An inetd for one configuration of sshd, so that tests which start sshd as a daemon can be run with a server that
// serves one connection on stdin and stdout: `node inetd.mjs SERVER [options of sshd]`.
import { spawn, spawnSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'

const DAEMON = 'SSHJOB_INETD_DAEMON'
const [server, ...options] = process.argv.slice(2)

/** The configuration as the server itself understands it. */
function readConfig() {
  const { status, stdout, stderr } = spawnSync(server, [...options, '-T'], { encoding: 'utf8' })
  if (status !== 0) {
    process.stderr.write(stderr)
    process.exit(status ?? 255)
  }
  const lines = stdout.split('\n').map((line) => line.split(' '))
  const all = (name) => lines.filter(([keyword]) => keyword === name).map(([, value]) => value)
  return { addresses: all('listenaddress'), pidFile: all('pidfile')[0] }
}

function listen(address, onConnection) {
  const [, host, port] = /^\[?(.*?)\]?:(\d+)$/.exec(address)
  return new Promise((resolve, reject) => {
    const listener = createServer({ pauseOnConnect: true, noDelay: true }, onConnection)
    listener.once('error', reject)
    listener.listen({ host, port: Number(port), ipv6Only: true }, () => resolve(listener))
  })
}

/** The connection becomes stdin and stdout of a server of its own. */
function serve(socket) {
  socket.on('error', () => undefined)
  const child = spawn(server, ['-i', ...options], { stdio: [socket, socket, 'ignore'] })
  child.on('error', () => socket.destroy())
  child.on('spawn', () => socket.destroy())
}

async function runDaemon({ addresses, pidFile }) {
  for (const address of addresses) await listen(address, serve)
  if (pidFile !== undefined) writeFileSync(pidFile, `${process.pid}\n`)
  process.on('SIGTERM', () => {
    if (pidFile !== undefined) rmSync(pidFile, { force: true })
    process.exit(0)
  })
}

if (process.env[DAEMON] === undefined) {
  readConfig()
  // As sshd does without -D: the caller goes on.
  const child = spawn(process.execPath, process.argv.slice(1), {
    detached: true,
    stdio: 'ignore',
    env: { ...process.env, [DAEMON]: '1' },
  })
  child.unref()
} else {
  await runDaemon(readConfig())
}
