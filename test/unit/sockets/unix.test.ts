import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import fs from 'node:fs/promises'
import net from 'node:net'
import path from 'node:path'
import { listenAtPath, listenUnix } from '../../../src/sockets/listen-unix.js'
import { connectUnix } from '../../../src/sockets/unix.js'
import { until } from '../../helpers/bytes.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

describe('unix sockets', () => {
  const directory = temporaryDirectory()
  const file = (name: string): string => path.join(directory(), name)

  it('are for their user alone, whatever the umask, which stays what it is for all other calls', async () => {
    const umask = process.umask(0)
    const changes = jest.spyOn(process, 'umask')
    try {
      const made = Array.from({ length: 200 }, async (_, n) => {
        await fs.mkdir(file(`d${n}`), 0o755)
        return (await fs.stat(file(`d${n}`))).mode & 0o777
      })
      const server = await listenUnix(file('open'))
      expect((await fs.stat(file('open'))).mode & 0o777).toBe(0o600)
      expect(new Set(await Promise.all(made))).toEqual(new Set([0o755]))
      expect(changes).not.toHaveBeenCalled()
      server.close()
    } finally {
      changes.mockRestore()
      process.umask(umask)
    }
  })

  it('have their name once they listen, and leave nothing else behind', async () => {
    const folder = await fs.mkdtemp(file('alone-'))
    const name = path.join(folder, 'socket')
    const accepted: net.Socket[] = []
    const listening = await listenAtPath(name, (socket) => accepted.push(socket.end()))
    expect(await fs.readdir(folder)).toEqual(['socket'])
    await once((await connectUnix(name)).resume().end(), 'close')
    expect(accepted).toHaveLength(1)
    const before = readdirSync('/proc/self/fd')
    await listening.close()
    expect(await fs.readdir(folder)).toEqual([])
    // The socket, and the descriptor of the directory that it was made in.
    await until(() => readdirSync('/proc/self/fd').length <= before.length - 2)
  })

  it('take no name that is taken, and take none away that has become another one', async () => {
    await fs.writeFile(file('taken'), 'precious')
    await expect(listenUnix(file('taken'))).rejects.toMatchObject({
      code: 'unreachable',
      message: `No socket can be opened at ${file('taken')}: there is a file of that name.`,
    })
    expect(await fs.readFile(file('taken'), 'utf8')).toBe('precious')
    const listening = await listenAtPath(file('replaced'), () => undefined)
    await fs.rm(file('replaced'))
    await fs.writeFile(file('replaced'), 'precious')
    await listening.close()
    expect(await fs.readFile(file('replaced'), 'utf8')).toBe('precious')
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
