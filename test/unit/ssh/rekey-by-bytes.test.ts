import { randomBytes } from 'node:crypto'
import { digest, sha256, writeInPieces } from '../../helpers/bytes.js'
import { connectionPair } from '../../helpers/connection-pair.js'
import { ssh2Of } from '../../helpers/ssh2-protocol.js'

// The real one takes a gigabyte.
jest.mock('../../../src/core/limits.js', () => ({
  ...jest.requireActual<typeof import('../../../src/core/limits.js')>('../../../src/core/limits.js'),
  REKEY_BYTES: 2 ** 20,
}))

it('bytes enough under one key start another key exchange by themselves', async () => {
  const pair = await connectionPair()
  const [client, server] = await pair.open()
  let exchanges = 0
  const complete = ssh2Of(pair.server.transport)._onHandshakeComplete
  ssh2Of(pair.server.transport)._onHandshakeComplete = (negotiated) => {
    exchanges++
    complete(negotiated)
  }
  const data = randomBytes(8 * 2 ** 20)
  const received = digest(server.input)
  await writeInPieces(client.output, data)
  client.output.end()
  expect(await received).toBe(sha256(data))
  expect(exchanges).toBeGreaterThan(2)
  await pair.close()
})
