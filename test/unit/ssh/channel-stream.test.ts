import { SshjobError } from '../../../src/core/errors.js'
import { ChannelStream } from '../../../src/ssh/channel-stream.js'
import { until } from '../../helpers/bytes.js'
import { connectionPair } from '../../helpers/connection-pair.js'

it('a stream that has been read to its end learns of the end of the connection as well', async () => {
  const pair = await connectionPair()
  const [channel, other] = await pair.open()
  const stream = new ChannelStream(channel)
  stream.resume().on('error', () => undefined)
  other.output.end()
  await until(() => stream.readableEnded)
  const closed = new Promise((resolve) => stream.once('close', resolve))
  pair.server.transport.close(new SshjobError('job-ended', 'The job has ended.'))
  await closed
  expect(stream.errored).toMatchObject({ code: 'connection-closed' })
  await pair.close()
})
