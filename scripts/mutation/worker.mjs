// One test file in a process of its own, and what it says of the mutants that it was given.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/** How long a mutant may say nothing at all: its loop has no end, and never asks the event loop. */
const SILENT_LIMIT_MS = 60_000

const JEST = ['node_modules/jest/bin/jest.js', '--config', 'scripts/mutation/jest.config.mjs', '--runInBand']

function start(root, args, env) {
  const child = spawn(process.execPath, [...JEST, ...args], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    env,
  })
  let said = ''
  child.stderr.on('data', (chunk) => {
    said = (said + chunk).slice(-10_000)
  })
  const closed = new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (status, signal) => resolve({ status, signal, said }))
  })
  return { child, closed }
}

/**
 * Runs one test file once, and then for the mutants.
 * @param {string} root
 * @param {string} file
 * @param {readonly string[]} mutants
 * @param {NodeJS.ProcessEnv} env
 * @param {(message: { kind: string, id?: string }) => void} onMessage
 * @returns {Promise<{ done: boolean, unsure: boolean, hung?: string, said: string }>} `unsure`: it stopped at a mutant
 *   that has to be tried again; `hung`: the mutant with which the process was lost
 */
export async function runFile(root, file, mutants, env, onMessage) {
  const more = { SSHJOB_MUTANTS: JSON.stringify(mutants) }
  const { child, closed } = start(root, ['--runTestsByPath', file], { ...env, ...more })
  let trying
  let done = false
  let unsure = false
  const kill = () => child.kill('SIGKILL')
  let timer
  const wait = () => {
    clearTimeout(timer)
    timer = setTimeout(kill, SILENT_LIMIT_MS + (trying === undefined ? 5 * SILENT_LIMIT_MS : 0))
  }
  wait()
  for await (const line of createInterface({ input: child.stdio[3] })) {
    const message = JSON.parse(line)
    trying = message.kind === 'trying' ? message.id : undefined
    if (message.kind === 'done' || message.kind === 'broken') done = true
    if (message.kind === 'unsure') unsure = true
    wait()
    onMessage(message)
  }
  const { said } = await closed
  clearTimeout(timer)
  return { done, unsure, hung: trying, said }
}

/**
 * Runs test files from the start with one mutant: for what is made when a file is loaded.
 * @param {string} root
 * @param {readonly string[]} files
 * @param {string} mutant
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<boolean>} whether a test failed, or none of them came to an end
 */
export async function failsFromTheStart(root, files, mutant, env) {
  const args = ['--bail', '--forceExit', '--testTimeout', '10000', '--runTestsByPath', ...files]
  const { child, closed } = start(root, args, { ...env, SSHJOB_MUTANT: mutant })
  child.stdio[3].resume()
  const timer = setTimeout(() => child.kill('SIGKILL'), files.length * SILENT_LIMIT_MS)
  const { status } = await closed
  clearTimeout(timer)
  return status !== 0
}
