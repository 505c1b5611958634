import { spawnSync } from 'node:child_process'
import { Problem } from './problem.mjs'

const MAX_OUTPUT_BYTES = 64 * 1024 * 1024

/**
 * Runs a program to its end.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {import('node:child_process').SpawnSyncOptions} [options]
 * @returns {string} its output
 */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: MAX_OUTPUT_BYTES,
    ...options,
    env: { ...process.env, LC_ALL: 'C', ...options.env },
  })
  if (result.error?.code === 'ENOENT') throw new Problem(`${command} is needed, and is not installed here.`)
  if (result.error) throw result.error
  if (result.status !== 0) {
    const said = `${result.stderr}`.trim().split('\n').slice(-5).join('\n')
    throw new Problem(
      `${command} ${args.join(' ')} failed (${result.signal ?? `exit status ${result.status}`}):\n${said}`,
    )
  }
  return `${result.stdout}`
}
