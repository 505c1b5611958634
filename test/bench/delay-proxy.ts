// delay-proxy.ts PORT MILLISECONDS: a TCP proxy in front of PORT on loopback; prints its own port. Not every kernel has netem.
import net from 'node:net'

const [target, delayMs = 0] = process.argv.slice(2).map(Number)

interface Late {
  due: number
  chunk: Buffer
}

/** No back-pressure: on a long path as well, what is under way is not taken back. The windows of SSH bound it. */
function carry(from: net.Socket, to: net.Socket): void {
  const queue: Late[] = []
  let ended = false
  const flush = (): void => {
    const now = performance.now() + 0.5
    for (let first = queue[0]; first !== undefined && first.due <= now; first = queue[0]) {
      to.write(first.chunk)
      queue.shift()
    }
    if (queue[0] !== undefined) setTimeout(flush, Math.max(0, queue[0].due - performance.now()))
    else if (ended) to.end()
  }
  from.on('data', (chunk) => {
    queue.push({ due: performance.now() + delayMs, chunk })
    if (queue.length === 1) setTimeout(flush, delayMs)
  })
  from.on('end', () => {
    ended = true
    if (queue.length === 0) to.end()
  })
  from.on('error', () => to.destroy())
}

const server = net.createServer(
  { allowHalfOpen: true, noDelay: true, highWaterMark: 1024 * 1024 },
  (client) => {
    const upstream = net.connect({ port: target ?? 0, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    carry(client, upstream)
    carry(upstream, client)
  },
)
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (address !== null && typeof address === 'object') console.log(address.port)
})
