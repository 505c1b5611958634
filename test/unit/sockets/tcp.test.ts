import { formatAddress } from '../../../src/core/format-address.js'
import { listenLoopback } from '../../../src/sockets/loopback.js'
import { connectTcp, listenTcp, portOf } from '../../../src/sockets/tcp.js'
import { startProgram } from '../../helpers/programs.js'
import { dial, echoSocket, exchange, serveSockets, unusedPort } from '../../helpers/sockets.js'

/** Listens, and then does not run any more: the kernel takes a few connections for it, and answers no others. */
const STOPPED = `
const server = require('net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
  console.log('port ' + server.address().port)
  process.kill(process.pid, 'SIGSTOP')
})`

describe('connecting by TCP', () => {
  it('has a deadline for a host that does not answer', async () => {
    const program = startProgram(process.execPath, ['-e', STOPPED])
    await program.waitFor(/port \d+/)
    const port = Number(/\d+/.exec(program.stdout().toString())?.[0])
    const tries = Array.from({ length: 12 }, () => connectTcp('127.0.0.1', port, { timeoutMs: 500 }))
    const outcomes = await Promise.allSettled(tries)
    for (const outcome of outcomes) if (outcome.status === 'fulfilled') outcome.value.destroy()
    const reasons = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []))
    expect(reasons[0]).toMatchObject({
      code: 'unreachable',
      message: `No connection to 127.0.0.1:${port}: it does not answer.`,
    })
    program.kill('SIGKILL')
  })

  it('is aborted by its signal', async () => {
    const { port } = await serveSockets(echoSocket)
    await expect(connectTcp('127.0.0.1', port, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'aborted',
    })
    const abort = new AbortController()
    const connecting = connectTcp('127.0.0.1', port, { signal: abort.signal })
    abort.abort()
    await expect(connecting).rejects.toMatchObject({ code: 'aborted' })
  })

  it('says what is wrong', async () => {
    const port = await unusedPort()
    await expect(connectTcp('localhost', port)).rejects.toMatchObject({
      message: `No connection to localhost:${port}: nobody listens there.`,
    })
    expect(formatAddress('::1', 80)).toBe('[::1]:80')
  })
})

describe('listening on loopback', () => {
  it('takes one port of both families, and says when it is in use', async () => {
    const first = await listenLoopback(0)
    first.onConnection(echoSocket)
    expect((await exchange(await dial(first.port), 'abc')).toString()).toBe('abc')
    await expect(listenLoopback(first.port)).rejects.toMatchObject({
      message: `Port ${first.port} of 127.0.0.1 can't be listened on: the port is in use.`,
    })
    first.close()
    const again = await listenTcp('127.0.0.1', first.port)
    expect(portOf(again)).toBe(first.port)
    again.close()
  })
})
