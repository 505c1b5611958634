import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A file of /proc, or nothing: the process may be gone by now, or be another user's. */
function read(path) {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}

/**
 * The processes, apart from our own, that have this text in their environment or arguments. Zombies have neither.
 * @param {string} mark
 * @returns {{ pid: number, command: string }[]}
 */
export function leftProcesses(mark) {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map((name) => ({
      pid: Number(name),
      environment: read(`/proc/${name}/environ`),
      command: read(`/proc/${name}/cmdline`).replaceAll('\0', ' ').trim(),
    }))
    .filter(({ environment, command }) => environment.includes(mark) || command.includes(mark))
    .map(({ pid, command }) => ({ pid, command: command.slice(0, 200) }))
}

/** The tests' compiler puts its cache here when its user has no home. */
const NOT_OF_TESTS = /^swc-native-/

/**
 * What is in a folder, two levels deep.
 * @param {string} folder
 * @returns {string[]}
 */
export function leftFiles(folder) {
  const entries = readdirSync(folder, { withFileTypes: true })
  return entries
    .filter(({ name }) => !NOT_OF_TESTS.test(name))
    .map((entry) => {
      if (!entry.isDirectory()) return entry.name
      const inside = readdirSync(join(folder, entry.name)).slice(0, 5)
      return `${entry.name}/${inside.length > 0 ? ` (${inside.join(', ')})` : ''}`
    })
}
