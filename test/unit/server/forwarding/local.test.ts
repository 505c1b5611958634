import type { Socket } from 'node:net'
import { join } from 'node:path'
import { type ForwardingOptions, starterPermissions } from '../../../../src/permissions/forwarding-options.js'
import type { Grants } from '../../../../src/permissions/permissions.js'
import { openTcpChannel, openUnixChannel } from '../../../../src/server/forwarding/local.js'
import type { OpenAnswer } from '../../../../src/ssh/connection.js'
import { OPEN_FAILURE, Reader, string, uint32 } from '../../../../src/ssh/wire.js'
import { until } from '../../../helpers/bytes.js'
import { failOnUncaught } from '../../../helpers/fail-on-uncaught.js'
import { testInside } from '../../../helpers/inside.js'
import { serveSockets } from '../../../helpers/sockets.js'
import { temporaryDirectory } from '../../../helpers/temporary-directory.js'

failOnUncaught()
const directory = temporaryDirectory()
const grants = (options: ForwardingOptions): Grants => [starterPermissions(options)]
const ALL = grants({})

async function tcp(port: number, policy = ALL, signal = new AbortController().signal): Promise<OpenAnswer> {
  const data = Buffer.concat([string('127.0.0.1'), uint32(port), string(''), uint32(0)])
  return openTcpChannel(new Reader(data), policy, { inside: testInside(), signal })
}

async function unix(path: string, policy = ALL, signal = new AbortController().signal): Promise<OpenAnswer> {
  return openUnixChannel(new Reader(Buffer.concat([string(path), string(''), uint32(0)])), policy, {
    inside: testInside(),
    signal,
  })
}

it.each([0, 65_536])('%i is no port', async (port) => {
  const answer = { refuse: OPEN_FAILURE.CONNECT_FAILED, message: `${port} is no port` }
  expect(await tcp(port)).toEqual(answer)
})

// Whether somebody listens there is not for this test to say.
it.each([1, 65_535])('%i is a port', async (port) => {
  const answer = await tcp(port)
  expect(answer).not.toMatchObject({ message: `${port} is no port` })
  if ('abandon' in answer) answer.abandon?.()
})

it('what the policy prohibits is not tried, and nobody learns whether somebody listens', async () => {
  const { port, sockets } = await serveSockets(() => undefined)
  const path = join(directory(), 'socket')
  const server = await serveSockets(() => undefined, path)
  for (const policy of [
    grants({ forwarding: 'none' }),
    grants({ forwarding: 'remote' }),
    grants({ permitOpen: [] }),
  ]) {
    for (const answer of [await tcp(port, policy), await tcp(0, policy), await unix(path, policy)])
      expect(answer).toMatchObject({ refuse: OPEN_FAILURE.ADMINISTRATIVELY_PROHIBITED })
  }
  expect([...sockets, ...server.sockets]).toEqual([])
})

describe.each(['tcp', 'unix'])('a connection (%s)', (kind) => {
  async function serveOne(): Promise<{
    sockets: readonly Socket[]
    ask(signal?: AbortSignal): Promise<OpenAnswer>
  }> {
    const path = join(directory(), 'socket')
    const { port, sockets } = await serveSockets(
      (socket) => socket.resume(),
      kind === 'tcp' ? undefined : path,
    )
    return {
      sockets,
      ask: (signal) => (kind === 'tcp' ? tcp(port, ALL, signal) : unix(path, ALL, signal)),
    }
  }

  it('is not made where the client is gone', async () => {
    const { ask } = await serveOne()
    const controller = new AbortController()
    controller.abort()
    expect(await ask(controller.signal)).toEqual({
      refuse: OPEN_FAILURE.CONNECT_FAILED,
      message: 'The operation was aborted.',
    })
  })

  it('is given up where nobody takes it', async () => {
    const { ask, sockets } = await serveOne()
    const answer = await ask()
    if (!('abandon' in answer)) throw new Error('it was refused')
    await until(() => sockets.length === 1)
    answer.abandon?.()
    await until(() => sockets[0]?.readableEnded === true || sockets[0]?.destroyed === true)
  })

  it('that fails before it is taken harms nobody', async () => {
    const { ask, sockets } = await serveOne()
    const answer = await ask()
    if (!('abandon' in answer)) throw new Error('it was refused')
    await until(() => sockets.length === 1)
    if (kind === 'tcp') sockets[0]?.resetAndDestroy()
    else sockets[0]?.destroy()
    await until(() => sockets[0]?.destroyed === true)
    answer.abandon?.()
  })
})
