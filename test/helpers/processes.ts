import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

const LOOK_MS = 20
const KIB = 1024

/** Resolves when the process is gone, zombies being gone; the test's own deadline ends it otherwise. */
export async function expectGone(pid: number): Promise<void> {
  expect(pid).toBeGreaterThan(1)
  while (isAlive(pid)) await delay(LOOK_MS)
}

export function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}`) && !/^State:\s+[ZX]/m.test(readStatus(pid))
}

/** The server that runs beside the job of this wrapper: the one of its children that is Node.js. */
export function serverOf(wrapper: number): number {
  const children = readFile(`/proc/${wrapper}/task/${wrapper}/children`).trim().split(' ').map(Number)
  const server = children.find((pid) => readFile(`/proc/${pid}/cmdline`).includes('sshjob-server.cjs'))
  if (server === undefined) throw new Error(`The process ${wrapper} has no server: ${children.join(', ')}`)
  return server
}

/** Those that have this text in their environment; zombies have none. */
export function processesWith(mark: string): number[] {
  const pids = readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && pid !== process.pid)
  return pids.filter((pid) => readFile(`/proc/${pid}/environ`).includes(mark))
}

/** Resident memory in bytes; 0 if the process is gone. */
export function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readStatus(pid))?.[1] ?? 0) * KIB
}

/** The largest amount of resident memory seen within this time, in bytes. */
export async function peakMemory(pids: readonly number[], forMs: number): Promise<number[]> {
  const peaks = pids.map(() => 0)
  for (const end = Date.now() + forMs; Date.now() < end; await delay(LOOK_MS * 5)) {
    for (const [index, pid] of pids.entries()) peaks[index] = Math.max(peaks[index] ?? 0, residentBytes(pid))
  }
  return peaks
}

/** How many files and sockets it has open. */
export function countDescriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length
}

function readStatus(pid: number): string {
  return readFile(`/proc/${pid}/status`)
}

function readFile(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return '' // it has ended
  }
}
