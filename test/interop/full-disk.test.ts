import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import fs from 'node:fs'
import { join } from 'node:path'
import { SFTP_DATA_MAX } from '../../src/core/limits.js'
import { FX, FXF, FXP } from '../../src/ssh/sftp-protocol.js'
import { string, uint32, uint64 } from '../../src/ssh/wire.js'
import { describeWithMounts, findProgram } from '../helpers/needs.js'
import {
  type ProgramResult,
  type RunningProgram,
  runProgram,
  SSHJOB,
  startProgram,
} from '../helpers/programs.js'
import { type SftpPeer, servedSftp, sftpPeer } from '../helpers/sftp-peer.js'
import { starterSuite } from '../helpers/starter.js'
import { temporaryDirectory } from '../helpers/temporary-directory.js'

const SFTP_SERVER = '/usr/lib/openssh/sftp-server'
const DISK_BYTES = 1024 * 1024

describeWithMounts('a full disk', () => {
  const { user, start } = starterSuite()
  const folder = temporaryDirectory()
  const data = randomBytes(2 * DISK_BYTES)
  let disks: string[]
  let holder: RunningProgram

  /** Disks of 1 MiB in a mount namespace of their own, reached through /proc: nothing of them can stay behind. */
  beforeEach(async () => {
    const [one, two] = ['one', 'two'].map((name) => join(folder(), name))
    const mount =
      'for d; do mkdir -p "$d" && mount -t tmpfs -o size=1m none "$d" || exit; done; echo ready; exec cat'
    holder = startProgram('unshare', ['-m', 'sh', '-c', mount, 'sh', one ?? '', two ?? ''])
    await holder.waitFor(/ready/)
    disks = [one, two].map((path) => `/proc/${holder.pid}/root${path}`)
  })
  afterEach(async () => {
    holder.child.stdin.end()
    await holder.ended
  })

  const disk = (): string => disks[0] ?? ''
  const cp = (...args: string[]): Promise<ProgramResult> =>
    runProgram(SSHJOB, ['cp', ...args], { env: user().env, cwd: folder() })

  /** Writes 2 MiB in order, and gives the answers and what became of the file. */
  async function fill(peer: SftpPeer): Promise<string[]> {
    const handle = string(await peer.open('big', FXF.WRITE | FXF.CREAT | FXF.TRUNC))
    const codes: number[] = []
    for (let at = 0; at < data.length; at += SFTP_DATA_MAX) {
      const piece = string(data.subarray(at, at + SFTP_DATA_MAX))
      codes.push(await peer.status(FXP.WRITE, handle, uint64(at), piece))
    }
    const { data: stats } = await peer.ask(FXP.FSTAT, handle)
    const closed = await peer.status(FXP.CLOSE, handle)
    const removed = await peer.status(FXP.REMOVE, string('big'))
    return [codes.join(), stats.subarray(0, 12).toString('hex'), `closed ${closed}`, `removed ${removed}`]
  }

  it('is answered as sftp-server answers, with what fits written', async () => {
    expect(findProgram(SFTP_SERVER)).toBe(SFTP_SERVER)
    const served = await servedSftp(disk())
    const child = spawn(SFTP_SERVER, [], { cwd: disks[1], stdio: ['pipe', 'pipe', 'ignore'] })
    const exited = once(child, 'exit')
    try {
      const theirs = sftpPeer(child.stdout, child.stdin)
      await theirs.ask(FXP.INIT, uint32(3))
      const answers = await fill(served.peer)
      expect(answers).toEqual(await fill(theirs))
      expect(answers[0]).toMatch(/^(0,)+4(,4)+$/)
      // The channel goes on, and so do files once there is room.
      const handle = string(await served.peer.open('small', FXF.WRITE | FXF.CREAT))
      expect(await served.peer.status(FXP.WRITE, handle, uint64(0), string('fits'))).toBe(FX.OK)
    } finally {
      await served.close()
      child.kill()
      await exited
    }
  })

  it('in the job ends sshjob cp with a sentence, and --resume goes on once there is room', async () => {
    await start()
    const original = data.subarray(0, DISK_BYTES - 65_536)
    fs.writeFileSync(join(folder(), 'big'), original)
    fs.writeFileSync(join(disk(), 'other'), Buffer.alloc(DISK_BYTES / 2))
    const full = await cp('big', `train:${disk()}/big`)
    expect(full).toMatchObject({
      exitCode: 255,
      stderr: expect.stringMatching(
        /^sshjob: big is not copied: .*\/big in the job: no space left on device\.\nsshjob: 1 of 1 could not be copied: see above\.\n$/,
      ),
    })
    // A beginning of it, as scp leaves it.
    const left = fs.readFileSync(join(disk(), 'big'))
    expect(left.length).toBeGreaterThan(0)
    expect(left.equals(original.subarray(0, left.length))).toBe(true)
    fs.rmSync(join(disk(), 'other'))
    expect(await cp('--resume', 'big', `train:${disk()}/big`)).toMatchObject({ exitCode: 0, stderr: '' })
    expect(fs.readFileSync(join(disk(), 'big')).equals(original)).toBe(true)
  })

  it('here ends sshjob cp with a sentence, and --resume goes on once there is room', async () => {
    await start()
    fs.writeFileSync(join(folder(), 'big'), data.subarray(0, DISK_BYTES - 65_536))
    fs.writeFileSync(join(disk(), 'other'), Buffer.alloc(DISK_BYTES / 2))
    const source = `train:${join(folder(), 'big')}`
    const full = await cp(source, `${disk()}/big`)
    expect(full).toMatchObject({
      exitCode: 255,
      stderr: expect.stringMatching(
        /^sshjob: train:.*\/big is not copied: .*\/big here: no space left on device \(ENOSPC\)\.\nsshjob: 1 of 1 /,
      ),
    })
    fs.rmSync(join(disk(), 'other'))
    expect(await cp('--resume', source, `${disk()}/big`)).toMatchObject({ exitCode: 0, stderr: '' })
    expect(fs.readFileSync(join(disk(), 'big')).equals(data.subarray(0, DISK_BYTES - 65_536))).toBe(true)
  })
})
