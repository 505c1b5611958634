import { join } from 'node:path'
import { type RunningProgram, startProgram } from './programs.js'

/** Needs FUSE and the right to mount: describeWithFuse(). */
export interface FuseMount {
  /** In a mount namespace of its own, of which nothing can stay behind … */
  readonly inside: string
  /** … and as a process outside of it reaches it. */
  readonly path: string
  /** The command line that starts a program in that namespace. */
  within(command: string, ...args: string[]): [string, string[]]
  /**
   * From now on it doesn't answer, until go(). It takes no requests either: who waits for one that its server has taken,
   * not even SIGKILL can end.
   */
  hang(): void
  go(): void
  end(): Promise<void>
}

const MOUNT =
  'mkdir -p "$1" && exec 3<>/dev/fuse && ' +
  'mount -i -t fuse -o fd=3,rootmode=40000,user_id=0,group_id=0,allow_other none "$1" && exec "$2" "$3"'

/** Mounts a file system of FUSE here, whose server is test/helpers/fuse-server.mjs. */
export async function mountFuse(inside: string): Promise<FuseMount> {
  const server = join(process.cwd(), 'test/helpers/fuse-server.mjs')
  const args = ['-m', 'sh', '-c', MOUNT, 'sh', inside, process.execPath, server]
  const holder: RunningProgram = startProgram('unshare', args)
  await holder.waitFor(/ready/)
  return {
    inside,
    path: `/proc/${holder.pid}/root${inside}`,
    within: (command, ...rest) => ['nsenter', ['-t', String(holder.pid), '-m', '-w', command, ...rest]],
    hang: () => holder.kill('SIGSTOP'),
    go: () => holder.kill('SIGCONT'),
    async end() {
      holder.kill('SIGCONT')
      holder.child.stdin.end()
      await holder.ended
    },
  }
}
