import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import fs from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { alternate, type Side } from '../alternate.js'
import type { Bench, Case } from '../bench.js'
import { besideFirst } from '../beside-first.js'
import type { Installation } from '../installation.js'
import { PINS, sshArguments } from '../keys.js'
import { read, run } from '../processes.js'
import { inMs, inUnits, type Row } from '../report.js'
import { startBoth, startJob, type TcpServer, userName } from '../servers.js'
import { compare } from './throughput.js'

const GIB = 1024 ** 3
const SMALL_FILES = 10_000
const SMALL_FILE_BYTES = 1024
/** A file system in memory, shm_overview(7): disks are not what is measured. */
const SHARED_MEMORY = '/dev/shm'

/** A folder in memory for the length of the case. */
async function folderInMemory(bench: Bench): Promise<string> {
  const folder = await fs.mkdtemp(
    path.join(existsSync(SHARED_MEMORY) ? SHARED_MEMORY : tmpdir(), 'sj-bench-'),
  )
  bench.onEnd(() => fs.rm(folder, { recursive: true, force: true }))
  return folder
}

async function makeFile(file: string, bytes: number): Promise<void> {
  const handle = await fs.open(file, 'w')
  const piece = randomBytes(1024 ** 2)
  for (let written = 0; written < bytes; written += piece.length) await handle.write(piece)
  await handle.close()
}

/** The options that sftp(1) and scp(1) share with ssh(1), without the host. */
const options = (bench: Bench, port: number): string[] =>
  sshArguments(bench.keys, port, userName()).slice(0, -1)

/** One command of sftp(1) in batch mode. */
function sftp(bench: Bench, { pid, port }: TcpServer, command: string): Side {
  const script = 'printf "%s\\n" "$1" | { shift; exec sftp -q -b - "$@"; }'
  return {
    server: pid,
    work: () => run('sh', ['-c', script, 'sh', command, ...options(bench, port), '127.0.0.1']),
  }
}

function scp(bench: Bench, { pid, port }: TcpServer, source: string, target: string): Side {
  return { server: pid, work: () => run('scp', ['-q', ...options(bench, port), source, target]) }
}

export const files: Case = {
  name: 'files',
  goal: "OpenSSH's sftp and scp move a file at 1.1 of sshd's throughput, and 10,000 small ones in 1.2 of its time",
  async run(bench) {
    const bytes = bench.bytes(GIB)
    const folder = await folderInMemory(bench)
    const source = path.join(folder, 'source')
    const target = path.join(folder, 'target')
    await makeFile(source, bytes)
    const servers = await startBoth(bench)
    const rows: Row[] = []
    const transfers: [what: string, make: (server: TcpServer) => Side][] = [
      ['sftp get', (server) => sftp(bench, server, `get ${source} ${target}`)],
      ['sftp put', (server) => sftp(bench, server, `put ${source} ${target}`)],
      ['scp from', (server) => scp(bench, server, `127.0.0.1:${source}`, target)],
      ['scp to', (server) => scp(bench, server, source, `127.0.0.1:${target}`)],
    ]
    for (const [what, make] of transfers) {
      const compared = await besideFirst(servers, servers.map(make), bench.rounds(7), (label, ours, peer) =>
        compare(`${what}, ${inUnits(bytes)}${label}`, bytes, ours, peer, 1.1),
      )
      rows.push(...compared)
    }
    return [...rows, ...(await smallFiles(bench, folder, servers))]
  },
}

async function smallFiles(bench: Bench, folder: string, servers: readonly TcpServer[]): Promise<Row[]> {
  const many = path.join(folder, 'many')
  const copy = path.join(folder, 'copy')
  await fs.mkdir(many)
  const content = randomBytes(SMALL_FILE_BYTES)
  for (let index = 0; index < SMALL_FILES; index++)
    await fs.writeFile(path.join(many, `file-${index}`), content)
  const rows: Row[] = []
  for (const direction of ['get', 'put'] as const) {
    const sides = servers.map((server) => {
      const side = sftp(bench, server, `${direction} -r ${many} ${copy}`)
      return { ...side, prepare: () => fs.rm(copy, { recursive: true, force: true }) }
    })
    const compared = await besideFirst(servers, sides, bench.rounds(7), (label, ours, peer) => ({
      what: `sftp ${direction} -r, 10,000 files of 1 KiB${label}`,
      ours: inMs(ours.ms),
      peer: inMs(peer.ms),
      measure: ours.ms / peer.ms,
      goal: { atMost: 1.2 },
      cpu: `${inMs(ours.cpu)}, ${inMs(peer.cpu)}`,
    }))
    rows.push(...compared)
  }
  return rows
}

/** scp(1) through the proxy, and our own client, into the same job. */
async function copySides(bench: Bench, installation: Installation, id: string): Promise<[Side, Side]> {
  const server = await startJob(bench, installation, id)
  const config = path.join(bench.directory, `ssh_config_${id}`)
  await fs.writeFile(config, await read(process.execPath, [installation.sshjob, 'ssh-config']))
  const folder = await folderInMemory(bench)
  const source = path.join(folder, 'source')
  const target = path.join(folder, 'target')
  await makeFile(source, bench.bytes(GIB))
  const options = ['-q', '-F', config, ...PINS, '-o', 'IdentityAgent=none', '-o', 'LogLevel=ERROR']
  return [
    { server, work: () => run(process.execPath, [installation.sshjob, 'cp', source, `${id}:${target}`]) },
    { server, work: () => run('scp', [...options, source, `${id}.job:${target}`]) },
  ]
}

export const copy: Case = {
  name: 'copy',
  goal: '`sshjob cp` is at least as fast as scp is with the same job',
  async run(bench) {
    const bytes = bench.bytes(GIB)
    const native = await bench.native()
    const rows: Row[] = []
    const installations = [
      ['', bench.plain],
      ...('reason' in native ? [] : [[', native ciphers', native] as const]),
    ] as const
    for (const [label, installation] of installations) {
      const [ours, peer] = await copySides(bench, installation, label === '' ? 'plain' : 'native')
      const [mine, theirs] = await alternate([ours, peer], bench.rounds(7))
      if (mine === undefined || theirs === undefined) continue
      rows.push(
        compare(
          `\`sshjob cp\`, scp through the proxy, ${inUnits(bytes)} to the job${label}`,
          bytes,
          mine,
          theirs,
          1,
        ),
      )
    }
    return rows
  },
}
