import { type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { Socket } from 'node:net'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { deferred } from '../../src/core/deferred.js'
import { SshjobError } from '../../src/core/errors.js'
import type { Job } from '../../src/job/job.js'
import type { Served } from '../../src/server/types.js'
import type { Handover } from '../../src/starter/handover.js'

const helper = (name: string): string => join(process.cwd(), 'test/helpers', name)
const PROGRAM = ['--import', helper('register-typescript.mjs'), helper('handover-worker.ts')]

/** For StarterOptions.serve: serves each connection in a worker, which is started so. */
export function serveInWorker(options: Pick<SpawnOptions, 'cwd' | 'env'> = {}) {
  return (stream: Duplex, _job: Job, handover: Handover): Served => {
    if (!(stream instanceof Socket)) throw new SshjobError('usage', 'A worker needs a socket.')
    const child = spawn(process.execPath, PROGRAM, {
      ...options,
      stdio: [stream, stream, 'inherit', 'pipe'],
    })
    const channel = child.stdio[3]
    if (channel instanceof Socket) channel.on('error', () => undefined).end(JSON.stringify(handover))
    // Closes our descriptor of it, and nothing else: the connection is the worker's.
    stream.destroy()
    const closing = deferred<SshjobError | undefined>()
    void once(child, 'exit').then(() => closing.resolve(undefined))
    return {
      closed: closing.promise,
      authenticated: true,
      channels: 0,
      async end() {
        child.kill('SIGTERM')
        await closing.promise
      },
    }
  }
}
