import { firstLine, messageOf, systemCode } from '../../../core/errors.js'
import {
  COMMAND_EXIT_GRACE_MS,
  COMMAND_STDERR_BYTES,
  HTCONDOR_TOOL_TIMEOUT_MS,
} from '../../../core/limits.js'
import { waitNoLonger, withinTime } from '../../../core/within-time.js'
import { type ChildProcess, type PipedProcess, startPiped } from '../../../process/helpers.js'

/** Somebody without any rights, as far as running a program is concerned. */
const NOBODY = 65_534

/** Of a program that was run to its end. What it wrote is nobody's word: another process of that user may have said it. */
export interface Attempt {
  /** Why it failed, on one line; undefined where it did not. */
  failure: string | undefined
  /** Its first bytes. */
  stdout: string
}

/**
 * Runs a program as one of the users that jobs run as, if we can. It gets nothing of ours: neither variables, nor our
 * terminal, into whose input it could type (ioctl_tty(2), TIOCSTI).
 * @param input what it reads. Default: nothing
 */
export async function runUnprivileged(
  [file = '', ...args]: readonly string[],
  { input = '', timeoutMs = HTCONDOR_TOOL_TIMEOUT_MS }: { input?: string; timeoutMs?: number } = {},
): Promise<Attempt> {
  const user = process.geteuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {}
  let child: PipedProcess
  try {
    child = startPiped(file, args, { ...user, cwd: '/', env: {}, stdio: 'pipe', detached: true })
  } catch (error) {
    return { failure: messageOf(error), stdout: '' } // a setting that is empty, say
  }
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)]
  child.stdin.on('error', () => undefined).end(input)
  let late = false
  const timer = setTimeout(() => {
    late = true
    endGroup(child)
  }, timeoutMs)
  try {
    const end = await endOf(child)
    if (late) return { failure: `it did not end within ${timeoutMs / 1_000} s`, stdout: stdout() }
    const failure = end === undefined ? undefined : (sayingOf(stderr()) ?? end)
    return { failure, stdout: stdout() }
  } finally {
    clearTimeout(timer)
    // What it has left running may hold them for ever.
    for (const stream of child.stdio) stream?.destroy()
  }
}

function collect(stream: NodeJS.ReadableStream | null): () => string {
  let kept = ''
  stream?.on('error', () => undefined)
  stream?.on('data', (chunk: Buffer) => {
    if (kept.length < COMMAND_STDERR_BYTES) kept += chunk.toString()
  })
  return () => kept
}

/** All of its process group: it leads one of its own, whose number nobody else gets while it has not been waited for. */
function endGroup({ pid, exitCode, signalCode }: ChildProcess): void {
  if (pid === undefined || exitCode !== null || signalCode !== null) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if (systemCode(error) !== 'ESRCH') throw error
  }
}

/** How it failed, once all that it wrote is there; undefined where it did not. */
function endOf(child: ChildProcess): Promise<string | undefined> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(messageOf(error)))
    child.once('exit', (code, signal) => {
      const end =
        code === 0 ? undefined : signal === null ? `exit status ${code}` : `it was ended by ${signal}`
      const closed = new Promise((done) => child.once('close', done))
      void withinTime(closed, COMMAND_EXIT_GRACE_MS, waitNoLonger).then(() => resolve(end))
    })
  })
}

/** Node.js shows the place in the source first. */
const sayingOf = (text: string): string | undefined => /^\w*Error: .*/m.exec(text)?.[0] ?? firstLine(text)
