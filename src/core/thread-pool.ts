import fs from 'node:fs'
import { THREADS_DEFAULT, THREADS_ROOM } from './limits.js'

const VARIABLE = 'UV_THREADPOOL_SIZE'
let size: number | undefined

/** How many threads libuv has, or will have, for calls that wait: of files and of names. */
export function threadPoolSize(): number {
  size ??= Number(process.env[VARIABLE]) || THREADS_DEFAULT
  return size
}

/**
 * Has libuv make more threads than its four, for a program that serves several people: each call of a file system that
 * does not answer takes one away. Nothing may have used them before; what the variable says is the job's, and stays.
 * Where memory or processes are limited there are only the four, since a thread that can't be made ends the process, and
 * those that can are the job's as well.
 */
export function widenThreadPool(threads: number): void {
  const given = process.env[VARIABLE]
  size = hasRoom() ? threads : THREADS_DEFAULT
  process.env[VARIABLE] = String(size)
  // Any call makes them all. This one is of a file system that has nothing to wait for.
  fs.access('/proc', () => undefined)
  if (given === undefined) delete process.env[VARIABLE]
  else process.env[VARIABLE] = given
}

/** Whether nothing speaks against some more threads, or another process of ours. */
export function hasRoom(): boolean {
  // getrlimit(2): a thread takes 8 MiB of address space, and counts as a process of its user.
  const limits = readText('/proc/self/limits')
  const memory = ['Max address space', 'Max data size']
  if (memory.some((name) => limitOf(limits, name) !== Number.POSITIVE_INFINITY)) return false
  if (limitOf(limits, 'Max processes') < THREADS_ROOM) return false
  return cgroupFolders().every((folder) => {
    const most = Number.parseInt(readText(`${folder}/pids.max`), 10)
    return (
      Number.isNaN(most) || most - Number.parseInt(readText(`${folder}/pids.current`), 10) >= THREADS_ROOM
    )
  })
}

/** Where nothing is said, there is no telling: 0. */
function limitOf(limits: string, name: string): number {
  const soft = new RegExp(`^${name} +(\\S+)`, 'm').exec(limits)?.[1]
  return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft ?? 0)
}

/** Those that may limit processes, cgroups(7): version 2 and version 1, by our own path and as a container sees its own. */
function cgroupFolders(): string[] {
  const folders: string[] = []
  for (const [, controllers, path] of readText('/proc/self/cgroup').matchAll(/^\d+:([^:]*):(.*)$/gm)) {
    if (controllers !== '' && controllers !== 'pids') continue
    const root = controllers === '' ? '/sys/fs/cgroup' : '/sys/fs/cgroup/pids'
    folders.push(root, `${root}${path}`)
  }
  return folders
}

function readText(file: string): string {
  try {
    return fs.readFileSync(file, 'latin1')
  } catch {
    return ''
  }
}
