import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs/promises'
import net from 'node:net'
import { userInfo } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { findProgram } from '../helpers/needs.js'
import type { Bench } from './bench.js'
import type { Installation } from './installation.js'
import { sshArguments } from './keys.js'
import { firstLine, whenClosed } from './processes.js'

const START_TIMEOUT_MS = 20_000

export interface TcpServer {
  /** What sets it apart in a table, with a comma before it; '' for the product as it is installed. */
  label: string
  pid: number
  port: number
}

/** A port that was free just now. */
async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  if (address === null || typeof address === 'string') throw new Error('A TCP server without a port.')
  return address.port
}

async function answers(port: number): Promise<boolean> {
  const socket = net.connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false // not yet: the caller tries again
  } finally {
    socket.destroy()
  }
}

async function waitUntil(
  condition: () => Promise<boolean>,
  child: ChildProcess,
  what: string,
): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS
  while (!(await condition())) {
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(`${what} did not start.`)
    await delay(20)
  }
}

function keep(bench: Bench, child: ChildProcess): number {
  bench.onEnd(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const closed = whenClosed(child)
    child.kill('SIGTERM')
    await closed
  })
  if (child.pid === undefined) throw new Error(`${child.spawnfile} could not be started.`)
  return child.pid
}

/** OpenSSH's sshd on loopback, with files and keys of its own. */
export async function startSshd(bench: Bench, home: string = bench.home): Promise<TcpServer> {
  const sshd = findProgram('sshd')
  if (sshd === undefined) throw new Error('OpenSSH is not complete here: sshd is missing.')
  // What sshd started by root confines its first stage to; systems without a running sshd may lack it.
  if (process.geteuid?.() === 0) await fs.mkdir('/run/sshd', { recursive: true, mode: 0o755 })
  const port = await freePort()
  const { directory, keys } = bench
  const authorized = path.join(directory, 'authorized_keys')
  await fs.writeFile(authorized, `${keys.clientPublicKey}\n`)
  const config = path.join(directory, 'sshd_config')
  await fs.writeFile(
    config,
    `ListenAddress 127.0.0.1:${port}
HostKey ${keys.hostKey}
AuthorizedKeysFile ${authorized}
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
MaxStartups 1000
PrintMotd no
PrintLastLog no
LogLevel FATAL
Subsystem sftp /usr/lib/openssh/sftp-server
SetEnv HOME=${home}
`,
  )
  const child = spawn(sshd, ['-D', '-e', '-f', config], { stdio: ['ignore', 'ignore', 'inherit'] })
  const pid = keep(bench, child)
  await waitUntil(() => answers(port), child, 'sshd')
  return { label: ', sshd', pid, port }
}

/** Our server on TCP, in a process of its own. */
export async function startTcpServer(
  bench: Bench,
  installation: Installation,
  label = '',
): Promise<TcpServer> {
  const { hostKey, clientPublicKey } = bench.keys
  const program = [...bench.profileArguments, await bench.program('tcp-server')]
  const child = spawn(process.execPath, [...program, installation.library, hostKey, clientPublicKey], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, HOME: bench.home },
  })
  const pid = keep(bench, child)
  return { label, pid, port: Number(await firstLine(child)) }
}

/** sshd, our server, and our server with native ciphers, if those can be compiled here. */
export async function startBoth(bench: Bench): Promise<TcpServer[]> {
  const native = await bench.native()
  if ('reason' in native) console.error(`No native ciphers: ${native.reason}`)
  return [
    await startSshd(bench),
    await startTcpServer(bench, bench.plain),
    ...('reason' in native ? [] : [await startTcpServer(bench, native, ', native ciphers')]),
  ]
}

/** A TCP proxy in front of a server that delays every byte by this much in each direction. */
export async function startDelayProxy(bench: Bench, target: number, delayMs: number): Promise<number> {
  const program = await bench.program('delay-proxy')
  const child = spawn(process.execPath, [program, String(target), String(delayMs)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  keep(bench, child)
  return Number(await firstLine(child))
}

/** `ssh -N -L` to a port of loopback, through a server. Resolves to the local port. */
export async function startLocalForward(bench: Bench, server: TcpServer, target: number): Promise<number> {
  const port = await freePort()
  const args = ['-N', '-L', `${port}:127.0.0.1:${target}`, '-o', 'ExitOnForwardFailure=yes']
  const child = spawn('ssh', [...args, ...sshArguments(bench.keys, server.port, userName())], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  keep(bench, child)
  await waitUntil(() => answers(port), child, 'ssh')
  return port
}

/** `sshjob-server`, serving a job that does nothing. */
export async function startJob(
  bench: Bench,
  installation: Installation,
  id: string,
  home: string = bench.home,
): Promise<number> {
  const command = [...bench.profileArguments, installation.server, '--job-id', id, '--', 'sleep', 'infinity']
  const child = spawn(process.execPath, command, {
    stdio: ['ignore', 'ignore', 'inherit'],
    // As in a job's script: by SHLVL, bash tells whether it was started by a server (and reads ~/.bashrc then).
    env: { ...process.env, HOME: home, SHLVL: '2' },
  })
  const pid = keep(bench, child)
  const socket = path.join(bench.directory, 'sshjob', `${id}.sock`)
  const exists = (): Promise<boolean> =>
    fs.access(socket).then(
      () => true,
      () => false,
    )
  await waitUntil(exists, child, 'sshjob-server')
  return pid
}

export const userName = (): string => userInfo().username
