/**
 * Serves a job at the socket that it is given, as sshjob-server does, with less patience for file systems that do not
 * answer: `node --import …/register-typescript.mjs impatient-starter.ts SOCKET`. Ends with status 7 when its stdin does.
 */
import { join } from 'node:path'
import { callBudget } from '../../src/core/blocking-calls.js'
import { THREADS_FOR_FILES } from '../../src/core/limits.js'
import { localJob } from '../../src/job/local-job.js'
import { exitAtOnce } from '../../src/process/exit.js'
import { FileServer } from '../../src/process/file-server.js'
import { listenUnix } from '../../src/sockets/listen-unix.js'
import { unixServer } from '../../src/sockets/unix.js'
import { acceptFrom } from '../../src/starter/accept-from.js'
import { startStarter } from '../../src/starter/starter.js'

callBudget({ slowMs: 100, giveUpMs: 2_000 })
const helper = (name: string): string => join(process.cwd(), 'test/helpers', name)
// What loads TypeScript has used the threads before a program can say how many there are to be.
const threads = `UV_THREADPOOL_SIZE=${THREADS_FOR_FILES}`
const command = ['/usr/bin/env', threads, process.execPath, '--import', helper('register-typescript.mjs')]
const fileService = new FileServer([...command, helper('impatient-files.ts')])
const server = unixServer()
const job = localJob({ id: 'impatient', command: ['test'], pids: () => [process.pid], fileService })
const starter = startStarter()
acceptFrom(server, starter, { path: 'unix' })
starter.begin(job)
await listenUnix(process.argv[2] ?? '', { server })
console.log('listening')
process.stdin.resume().on('end', () => exitAtOnce(7))
