import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { RemoteFile } from '../../../../src/client/sftp/remote-file.js'
import { until } from '../../../helpers/bytes.js'
import { failOnUncaught } from '../../../helpers/fail-on-uncaught.js'
import { type SessionPair, sessionPair } from '../../../helpers/session-pair.js'
import { temporaryDirectory } from '../../../helpers/temporary-directory.js'

failOnUncaught()

const directory = temporaryDirectory()
const inside = (name: string): string => join(directory(), name)
let session: SessionPair
beforeEach(async () => {
  session = await sessionPair()
})
afterEach(async () => {
  jest.restoreAllMocks()
  await session.close()
})

it('a caller whose onProgress fails gets that from the upload', async () => {
  writeFileSync(inside('source'), 'content')
  const upload = session.client.files.upload(inside('source'), inside('target'), {
    onProgress({ done }) {
      if (done > 0) throw new Error('of the caller')
    },
  })
  await expect(upload).rejects.toThrow('of the caller')
})

it.each(['createReadStream', 'createWriteStream'] as const)(
  'a file that was opened for %s after it was given up is closed',
  async (method) => {
    writeFileSync(inside('file'), 'content')
    const controller = new AbortController()
    const open = RemoteFile.open
    jest.spyOn(RemoteFile, 'open').mockImplementation((...args) => {
      const opening = open(...args)
      controller.abort()
      return opening
    })
    const close = jest.spyOn(RemoteFile.prototype, 'close')
    const stream = session.client.files[method](inside('file'), { signal: controller.signal })
    const failed = new Promise((resolve) => stream.once('error', resolve))
    if ('read' in stream) stream.read()
    await failed
    await until(() => close.mock.calls.length > 0)
    expect(close).toHaveBeenCalledTimes(1)
  },
)
