/**
 * A worker: the same server in a process of its own, the connection as stdin and stdout, the handover on descriptor 3:
 * `node --import …/register-typescript.mjs handover-worker.ts`.
 */
import { readFileSync } from 'node:fs'
import { closeGently } from '../../src/core/close-gently.js'
import { SshjobError } from '../../src/core/errors.js'
import { localJob } from '../../src/job/local-job.js'
import { parseHandover } from '../../src/starter/handover.js'
import { serveHandover } from '../../src/starter/serve-handover.js'
import { stdioStream } from '../../src/streams/stdio.js'

const handover = parseHandover(readFileSync(3, 'utf8'))
const { id, command, user, pids, since } = handover.job
const job = localJob({ id, command, user, since: new Date(since), pids: () => pids })
const stream = stdioStream()
const served = serveHandover(stream, job, handover)
process.on('SIGTERM', () => void served.end(new SshjobError('job-ended', 'The job has ended.')))
await served.closed
await closeGently(stream)
// What waits for signals, or for a client that reads no more, is not to keep it.
process.exit(0)
