import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { runProgram } from './programs.js'

const SFTP_SERVER = '/usr/lib/openssh/sftp-server'
/** As describeWith() takes them. */
export const HUNG_MOUNT_NEEDS = ['sshfs', 'fusermount3', SFTP_SERVER, 'device:/dev/fuse']

/** A file system that can be made to answer no more, as a dead NFS server does. */
export interface HungMount {
  /** Where it is mounted. Not to be looked at by the test while it hangs. */
  readonly path: string
  /** What is mounted: the same files, which never hang. */
  readonly source: string
  hang(): void
  goOn(): void
  /** Whoever waits for it gets an error. */
  end(): Promise<void>
}

/** sshfs(1) in front of a folder, without any network, and without any cache. */
export async function hungMount(folder: string): Promise<HungMount> {
  const [path, source] = ['mounted', 'source'].map((name) => join(folder, name)) as [string, string]
  for (const each of [path, source]) mkdirSync(each)
  const files = spawn(SFTP_SERVER, [], { stdio: ['pipe', 'pipe', 'ignore'] })
  const options = 'passive,cache=no,attr_timeout=0,entry_timeout=0,default_permissions'
  // Straight to each other, and not through us: we may be the ones who wait for them.
  const mount = spawn('sshfs', ['-f', '-o', options, `:${source}`, path], {
    stdio: [files.stdout, files.stdin, 'inherit'],
  })
  files.stdin.destroy()
  files.stdout.destroy()
  while (!readFileSync('/proc/self/mountinfo', 'utf8').includes(` ${path} `)) {
    if (mount.exitCode !== null) throw new Error('sshfs could not mount.')
    await delay(20)
  }
  return {
    path,
    source,
    hang: () => void mount.kill('SIGSTOP'),
    goOn: () => void mount.kill('SIGCONT'),
    async end() {
      const ended = Promise.all([once(mount, 'exit'), once(files, 'exit')])
      mount.kill('SIGKILL')
      files.kill('SIGKILL')
      await ended
      await runProgram('fusermount3', ['-u', '-z', path])
    },
  }
}
