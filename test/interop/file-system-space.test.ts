import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { FXF, FXP } from '../../src/ssh/sftp-protocol.js'
import { Reader, string, uint32 } from '../../src/ssh/wire.js'
import { type FuseMount, mountFuse } from '../helpers/fuse.js'
import { describeWithFuse, findProgram } from '../helpers/needs.js'
import { type SftpPeer, servedSftp, sftpPeer } from '../helpers/sftp-peer.js'
import { temporaryDirectory } from '../helpers/temporary-directory.js'

const SFTP_SERVER = '/usr/lib/openssh/sftp-server'
/** f_bsize, f_frsize, f_blocks, f_bfree, f_bavail, f_files, f_ffree, f_favail, as test/helpers/fuse-server.mjs gives them. */
const SPACE = [1_048_576, 4_096, 1_000_000, 500_000, 400_000, 1_000, 900, 900]

describeWithFuse('the room of a file system whose blocks are not its fragments', () => {
  const directory = temporaryDirectory()
  let fuse: FuseMount
  beforeEach(async () => {
    fuse = await mountFuse(join(directory(), 'mounted'))
  })
  afterEach(() => fuse.end())

  /** What is said of a path, and of a file that is open. */
  async function ask(peer: SftpPeer): Promise<number[][]> {
    const file = join(fuse.path, 'file')
    const handle = await peer.open(file, FXF.READ)
    const answers = [
      await peer.askExtended('statvfs@openssh.com', string(file)),
      await peer.askExtended('fstatvfs@openssh.com', string(handle)),
    ]
    return answers.map(({ data }) => {
      const reader = new Reader(data)
      return Array.from({ length: 11 }, () => Number(reader.uint64()))
    })
  }

  it('is what sftp-server says, with the size of a fragment', async () => {
    expect(findProgram(SFTP_SERVER)).toBe(SFTP_SERVER)
    const served = await servedSftp(fuse.path)
    const child = spawn(SFTP_SERVER, [], { stdio: ['pipe', 'pipe', 'ignore'] })
    const exited = once(child, 'exit')
    try {
      const theirs = sftpPeer(child.stdout, child.stdin)
      await theirs.ask(FXP.INIT, uint32(3))
      const answers = await ask(served.peer)
      expect(answers).toEqual(await ask(theirs))
      for (const answer of answers) expect(answer.slice(0, SPACE.length)).toEqual(SPACE)
    } finally {
      await served.close()
      child.kill()
      await exited
    }
  })
})
