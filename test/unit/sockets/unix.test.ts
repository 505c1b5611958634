import fs from 'node:fs/promises'
import net from 'node:net'
import path from 'node:path'
import { connectUnix, listenUnix } from '../../../src/sockets/unix.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

describe('unix sockets', () => {
  const directory = temporaryDirectory()
  const file = (name: string): string => path.join(directory(), name)

  it('are for their user alone, whatever the umask', async () => {
    const umask = process.umask(0)
    try {
      const server = await listenUnix(file('open'))
      expect((await fs.stat(file('open'))).mode & 0o777).toBe(0o600)
      expect(process.umask()).toBe(0)
      server.close()
    } finally {
      process.umask(umask)
    }
  })

  it('say why no connection is made', async () => {
    await expect(connectUnix(file('none'))).rejects.toMatchObject({
      code: 'unreachable',
      message: `No connection to ${file('none')}: there is no socket.`,
    })
    const server = await listenUnix(file('dead'))
    await fs.link(file('dead'), file('dead2'))
    server.close()
    await expect(connectUnix(file('dead2'))).rejects.toMatchObject({
      code: 'unreachable',
      message: `No connection to ${file('dead2')}: nobody listens.`,
    })
  })

  it('say why nobody can listen', async () => {
    await expect(listenUnix(file('no/such/folder'))).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringMatching(
        /^No socket can be opened at .*: (permission denied \(EACCES\)|no such file or directory \(ENOENT\))\.$/,
      ),
    })
  })

  it('refuse a path that the system would cut, and take the longest that it does not', async () => {
    const longest = path.join(directory(), 'x'.repeat(107 - directory().length - 1))
    const server = await listenUnix(longest)
    server.on('connection', (socket) => socket.resume().end())
    await new Promise<void>((resolve) => {
      net.connect(longest, resolve).end().resume()
    })
    server.close()
    for (const call of [listenUnix, connectUnix]) {
      await expect(call(`${longest}x`)).rejects.toMatchObject({
        code: 'usage',
        message: expect.stringContaining('has 108 bytes'),
      })
    }
    await expect(connectUnix('/a\0b')).rejects.toMatchObject({ code: 'usage' })
  })

  it('stop waiting when aborted', async () => {
    await expect(connectUnix(file('none'), { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'aborted',
    })
  })
})
