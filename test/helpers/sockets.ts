import { once } from 'node:events'
import net from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { closeSockets, keep } from './loopback.js'
import { startProgram } from './programs.js'

export * from './loopback.js'

/** Nothing that a test has opened outlives it. */
afterEach(closeSockets)

/** On loopback a connection is made at once, or not at all. */
const FULL_AFTER_MS = 200

/** Listens, and takes no connection: with its queue full, the next one is never made, listen(2). */
const DEAF =
  "require('net').createServer().listen(0, '127.0.0.1', 1, function () { console.log(this.address().port) })"

/** A port to which nobody can connect, and of which nobody says so. */
export async function deafPort(): Promise<number> {
  const program = startProgram(process.execPath, ['-e', DEAF])
  await program.waitFor(/\d+\n/)
  program.kill('SIGSTOP')
  const port = Number(program.stdout().toString())
  // Until one is not made any more.
  for (let made = true; made; ) {
    const socket = net.connect({ port, host: '127.0.0.1' })
    keep(socket)
    made = await Promise.race([
      once(socket, 'connect').then(() => true),
      delay(FULL_AFTER_MS).then(() => false),
    ])
    if (!made) socket.destroy()
  }
  return port
}
