import { spawn } from 'node:child_process'
import { once } from 'node:events'
import net from 'node:net'
import path from 'node:path'
import type { Duplex } from 'node:stream'
import { listenUnix } from '../../src/sockets/listen-unix.js'
import { connectUnix } from '../../src/sockets/unix.js'
import { commandStream } from '../../src/streams/command.js'
import { JoinedStream } from '../../src/streams/joined.js'
import { streamPair } from '../../src/streams/memory.js'
import { bundle } from '../helpers/bundle.js'
import { withFaults } from '../helpers/stream-faults.js'
import { temporaryDirectory } from '../helpers/temporary-directory.js'
import { describeStream } from './stream-behaviours.js'

const MIB = 1024 * 1024

async function accepted(server: net.Server): Promise<Duplex> {
  const socket = await new Promise<Duplex>((resolve) => server.once('connection', resolve))
  server.close()
  return socket
}

describe('every stream behaves alike', () => {
  const directory = temporaryDirectory()
  let count = 0

  const unixPair = async (): Promise<[Duplex, Duplex]> => {
    count += 1
    const server = await listenUnix(path.join(directory(), `s${count}`))
    return Promise.all([connectUnix(path.join(directory(), `s${count}`)), accepted(server)])
  }

  describeStream('streamPair', async () => streamPair())

  describeStream('streamPair through the wrapper of faults, without any', async () => {
    const [a, b] = streamPair()
    return [withFaults(a, {}), withFaults(b, {})]
  })

  describeStream('a unix socket', unixPair)

  describeStream('a TCP socket', async () => {
    const server = net.createServer({ allowHalfOpen: true, noDelay: true }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    const client = net.connect({ port: address.port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    return Promise.all([once(client, 'connect').then(() => client), accepted(server)])
  })

  describeStream('two streams joined into one', async () => {
    const [a, b] = await unixPair()
    const [c, d] = await unixPair()
    return [new JoinedStream(a, c), new JoinedStream(d, b)]
  })

  // The command's stdin and stdout, the copy in its process, and its own unix socket: commandStream(), stdioStream()
  // and relay() at once.
  describe('over the stdin and stdout of a command', () => {
    let program: string

    beforeAll(async () => {
      const source = `
        import { relay } from './test/helpers/relay.js'
        import { stdioStream } from './src/streams/stdio.js'
        import { connectUnix } from './src/sockets/unix.js'
        const stdio = stdioStream()
        connectUnix(process.argv[2]).then((socket) => relay(stdio, socket)).then(() => process.exit(0), () => process.exit(1))
      `
      program = await bundle(source, directory())
    })

    const commandPair = async (prefix: string[]): Promise<[Duplex, Duplex]> => {
      count += 1
      const file = path.join(directory(), `s${count}`)
      const server = await listenUnix(file)
      const socket = accepted(server)
      const stream = commandStream([...prefix, process.execPath, program, file])
      return [stream, await socket]
    }

    // As inetd(8) starts a program: stdin and stdout are the connection itself.
    describeStream('one socket', async () => {
      count += 1
      const [outer, inner] = [path.join(directory(), `o${count}`), path.join(directory(), `s${count}`)]
      const handed = listenUnix(outer).then(accepted)
      const server = await listenUnix(inner)
      await new Promise(setImmediate)
      const client = await connectUnix(outer)
      const connection = await handed
      const child = spawn(process.execPath, [program, inner], { stdio: [connection, connection, 'inherit'] })
      await once(child, 'spawn')
      connection.destroy()
      return [client, await accepted(server)]
    })

    // Node.js gives a child two sockets; between two cats are pipes. The shell keeps none of their ends open.
    const piped = 'exec 3<&0; cat <&3 3<&- | "$@" 3<&- | cat 3<&- & exec 3<&- <&- >&-; wait'
    describeStream('two sockets', () => commandPair([]))
    describeStream('two pipes', () => commandPair(['sh', '-c', piped, 'sh']), {
      large: 30 * MIB,
    })
  })
})
