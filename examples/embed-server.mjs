// A program that lets its user look inside: it serves sessions next to its own work, on a unix socket.
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { localJob, serve } from 'sshjob'

const directory = await mkdtemp(join(tmpdir(), 'embed-')) // mode 0700: the file system says who may connect
const socket = join(directory, 'job.sock')
const job = localJob({ id: 'simulation', command: process.argv })

const server = createServer((stream) => serve(stream, job))
server.listen(socket, () => console.log(`sessions at ${socket}`))

const stop = async () => {
  server.close()
  await rm(directory, { recursive: true })
}
process.once('SIGTERM', stop)
process.once('SIGINT', stop)
