// tcp-server.ts LIBRARY HOST_KEY CLIENT_PUBLIC_KEY: serves sessions on a TCP port of loopback, which it prints.
import { readFileSync } from 'node:fs'
import net from 'node:net'

const [library = '', hostKey = '', clientPublicKey = ''] = process.argv.slice(2)
const { localJob, serve }: typeof import('../../src/index.js') = await import(library)
const job = localJob({ id: 'bench', command: ['bench'], pids: () => [process.pid] })
const credentials = { hostPrivateKey: readFileSync(hostKey, 'utf8'), clientPublicKey }

const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
  serve(socket, job, { credentials, motd: false })
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (address !== null && typeof address === 'object') console.log(address.port)
})
process.on('SIGTERM', () => process.exit(0))
