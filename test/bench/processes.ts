import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

/** USER_HZ: what proc(5) counts processor time in is the same on every architecture that Node.js runs on. */
const TICK_MS = 10

/** Processor time that a process has used, with that of its children that have ended, in ms. */
export function cpuTime(pid: number | 'self'): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  // The second field, the name in parentheses, may hold anything; the 14th to 17th are the four times.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0) * TICK_MS
}

/** Processor time of our own children that have ended, in ms. */
export function childrenCpuTime(): number {
  return cpuTime('self') - ownCpuTime()
}

function ownCpuTime(): number {
  const stat = readFileSync('/proc/self/stat', 'latin1')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS
}

export interface Memory {
  /** Resident set size, shared pages included, in KiB. */
  rss: number
  /** Proportional set size: each shared page divided among those who share it, in KiB. */
  pss: number
}

/** proc_pid_smaps(5) */
export function memoryOf(pid: number): Memory {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1')
  const field = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(rollup)?.[1])
  return { rss: field('Rss'), pss: field('Pss') }
}

/** The processes that a process has started and their descendants, whose program has a name that begins so. */
export function descendants(pid: number, program: string): number[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'latin1').split(' ').filter(Boolean).map(Number),
  )
  return children.flatMap((child) => {
    const name = readFileSync(`/proc/${child}/comm`, 'latin1').trim()
    return [...(name.startsWith(program) ? [child] : []), ...descendants(child, program)]
  })
}

/** Runs a program to its end; its stdin is empty and its stdout dropped. Rejects unless its status is 0. */
export async function run(
  command: string,
  args: readonly string[],
  options: SpawnOptions = {},
): Promise<void> {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'], ...options })
  const said: Buffer[] = []
  child.stderr?.on('data', (chunk: Buffer) => said.push(chunk))
  const status = await whenClosed(child)
  if (status !== 0) {
    throw new Error(`${command} ${args.join(' ')} ended with ${status}: ${Buffer.concat(said).toString()}`)
  }
}

/** Runs a program to its end, and gives what it wrote to stdout. */
export async function read(
  command: string,
  args: readonly string[],
  options: SpawnOptions = {},
): Promise<string> {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'inherit'] })
  const said: Buffer[] = []
  child.stdout?.on('data', (chunk: Buffer) => said.push(chunk))
  const status = await whenClosed(child)
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}.`)
  return Buffer.concat(said).toString()
}

export function whenClosed(child: ChildProcess): Promise<number | NodeJS.Signals | null> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (status, signal) => resolve(status ?? signal))
  })
}

/** The first line that a program writes to stdout. */
export function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = ''
    child.stdout?.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      const [line, ...rest] = said.split('\n')
      if (line !== undefined && rest.length > 0) resolve(line)
    })
    child.once('error', reject)
    child.once('close', (status) => reject(new Error(`A server ended with ${status} before it listened.`)))
  })
}
