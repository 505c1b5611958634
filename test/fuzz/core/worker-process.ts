import { fork } from 'node:child_process'
import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { COMMONJS_IN_MODULE } from '../../../scripts/commonjs-in-module.mjs'
import { mendedSsh2 } from '../../../scripts/mend-ssh2.mjs'
import { CASE_LIMIT_MS } from './run-case.js'
import type { Order, Report } from './worker-protocol.js'

/** Without a new case for so long, the worker's event loop stands still: a case that only waits, it ends itself. */
const SILENT_LIMIT_MS = 2 * CASE_LIMIT_MS
const LOOK_MS = 500
/** A case that fills this, in MiB, ends the process. */
const HEAP_MIB = 1_024

/**
 * One file of it all, with the ssh2 that is bundled: V8 counts what is run in that file.
 * @param targets the module that has TARGETS
 */
export async function bundleWorker(targets: string, outfile: string): Promise<void> {
  const contents = `
    import { TARGETS } from ${JSON.stringify(targets)}
    import { work } from './test/fuzz/worker.js'
    process.once('message', (order) => work(TARGETS, order))
    process.send({ kind: 'ready', targets: TARGETS.map(({ name }) => name) })`
  await build({
    stdin: { contents, resolveDir: process.cwd(), loader: 'ts' },
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    outfile,
    banner: { js: COMMONJS_IN_MODULE },
    external: ['node-pty', 'cpu-features', '*.node', 'fast-check'],
    plugins: [mendedSsh2],
    sourcemap: 'inline',
    logLevel: 'error',
  })
}

/** How a worker's process came to its end, if it didn't say so itself. */
export type WorkerEnd = { kind: 'told' } | { kind: 'died' | 'hung'; how: string }

/** Runs a worker; resolves when its process has gone. */
export function runWorker(
  file: string,
  order: Order,
  environment: NodeJS.ProcessEnv,
  onReport: (report: Report) => void,
): Promise<WorkerEnd> {
  return new Promise((resolve, reject) => {
    writeFileSync(order.current, '')
    const child = fork(file, {
      env: environment,
      execArgv: ['--enable-source-maps', `--max-old-space-size=${HEAP_MIB}`],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      serialization: 'advanced', // for numbers that JSON has not
    })
    let told = false
    let hung = false
    let said = ''
    child.stderr?.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-4_000)
    })
    const watch = setInterval(() => {
      if (Date.now() - statSync(order.current).mtimeMs < SILENT_LIMIT_MS) return
      hung = true
      child.kill('SIGKILL')
    }, LOOK_MS)
    child.on('message', (report: Report) => {
      if (report.kind === 'ready') child.send(order)
      if (report.kind === 'done' || report.kind === 'failed') told = true
      onReport(report)
    })
    child.once('error', reject)
    child.once('close', (status, signal) => {
      clearInterval(watch)
      if (told) resolve({ kind: 'told' })
      else if (hung) resolve({ kind: 'hung', how: `it kept the event loop for ${SILENT_LIMIT_MS / 1000} s` })
      else resolve({ kind: 'died', how: `the process ended with ${signal ?? `status ${status}`}\n${said}` })
    })
  })
}

/** Where the bundle goes: below the project, from where packages are found. */
export const workerFile = (name: string): string =>
  join(process.cwd(), 'node_modules/.cache/fuzz', `${name}.mjs`)
