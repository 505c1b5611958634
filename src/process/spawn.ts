import { messageOf, systemCode } from '../core/errors.js'
import { SPAWN_SPARE_DESCRIPTORS } from '../core/limits.js'
import { handOnStandardStreams, lowestFree } from './descriptors.js'
import { listenForExits, type ProcessEnd, whenEnded } from './exits.js'
import { cString, libc } from './libc.js'
import { setOpenFiles } from './open-files.js'
import { SystemError } from './system-error.js'

export interface SpawnOptions {
  /** The program's file. No PATH is looked at; see findProgram(). */
  file: string | Buffer
  /** What the program gets as its arguments, its own name first. None may hold a zero byte. */
  args: readonly (string | Buffer)[]
  /** Names as no shell need be able to export them, and values, which need not be UTF-8. */
  environment: Iterable<readonly [name: string, value: string | Buffer]>
  /** Our descriptors for its stdin, stdout and stderr, all above 2; or the path of a terminal. Default: our own. */
  stdio?: readonly [number, number, number] | { terminal: string }
  /** Makes it the leader of a new POSIX session, setsid(2), whose controlling terminal a terminal of its becomes. */
  ownSession?: boolean
  /** Default: ours, as it is: no path is resolved for that. */
  directory?: string | Buffer | undefined
  /**
   * Signals that it ignores from the start, signal(7); for all others it has the default, and for CHLD in any case: while
   * we ignored that, the kernel would throw away how a child has ended. Default: none.
   */
  ignoredSignals?: readonly number[]
  /** Its soft limit of open files. Default: ours. */
  openFiles?: number | undefined
}

export interface SpawnedProcess {
  readonly pid: number
  /** Never rejects. */
  readonly ended: Promise<ProcessEnd>
}

const HINTS: Readonly<Record<string, string>> = {
  EAGAIN: 'the limit of processes is reached',
  EMFILE: 'sshjob has as many files open as it may have',
  ENOMEM: 'there is no memory left',
}

/** Why a process could not be started, for people. */
export function explainSpawn(error: unknown): string {
  const hint = HINTS[systemCode(error) ?? '']
  return hint === undefined ? messageOf(error) : `${messageOf(error)}, ${hint}`
}

/** posix_spawnattr_setflags(3), in glibc as in musl. */
const SETSIGDEF = 0x04
const SETSIGMASK = 0x08
const SETSID = 0x80
/** Larger than those of any C library: 80 and 336 bytes in glibc and musl. */
const STRUCT_BYTES = 1024
const SIGSET_BYTES = 128
const SIGACTION_BYTES = 256
const SIG_IGN = 1n
const SIGCHLD = 17
const O_RDWR = 2
const ENOEXEC = 8
const POINTER_BYTES = 8

/**
 * Every signal: the default for those that we catch ourselves, for PIPE and XFSZ, which Node.js ignores, and for those of
 * the C library (32 and 33), which glibc would leave ignored.
 */
const ALL_SIGNALS = Buffer.alloc(SIGSET_BYTES, 0xff)
const NO_SIGNALS = Buffer.alloc(SIGSET_BYTES)

/**
 * Starts a process by posix_spawn(3), which waits until the program runs, 0.5 ms, and is as fast in a process with much
 * memory: the child borrows it (vfork(2)) and gets no copy. **Whoever calls this has seen to it that the program and the
 * directory can be reached without waiting**: on a file system that does not answer, the event loop would stand still.
 *
 * A file that is neither a binary nor begins with #! is run by /bin/sh, as execvp(3) does.
 * @throws SystemError ENOENT, EACCES, E2BIG, EAGAIN (a limit of processes), ENOMEM, EMFILE and others
 * @throws SshjobError 'spawn-failed' where processes can't be started at all, see libc()
 */
export function spawnProcess(options: SpawnOptions): SpawnedProcess {
  listenForExits()
  if (options.stdio === undefined) handOnStandardStreams()
  const ignoredSignals = (options.ignoredSignals ?? []).filter((signal) => signal !== SIGCHLD)
  const pid = withIgnored(ignoredSignals, () => spawnWithLimit({ ...options, ignoredSignals }))
  return { pid, ended: whenEnded(pid) }
}

/**
 * Sets our own soft limit of open files to the child's for as long as the call takes: between fork and exec there is
 * no place for it. Our JavaScript does not run meanwhile, and what runs in other threads (files, name look-ups) meets
 * the limit only if it opens a descriptor beyond it: where that is near, the child gets its limit an instant after it
 * has started instead.
 */
function spawnWithLimit(options: SpawnOptions): number {
  const { openFiles } = options
  if (openFiles === undefined) return spawnOrRunByShell(options)
  if (lowestFree() + SPAWN_SPARE_DESCRIPTORS > openFiles) {
    const pid = spawnOrRunByShell(options)
    setOpenFiles(openFiles, pid)
    return pid
  }
  const before = setOpenFiles(openFiles)
  try {
    return spawnOrRunByShell(options)
  } finally {
    setOpenFiles(before)
  }
}

/** An ignored signal stays ignored over fork and exec; one that is caught becomes the default, execve(2). */
function withIgnored<Result>(signals: readonly number[], work: () => Result): Result {
  const ignore = Buffer.alloc(SIGACTION_BYTES)
  ignore.writeBigUInt64LE(SIG_IGN)
  const before = new Map<number, Buffer>()
  try {
    for (const signal of signals) {
      const action = Buffer.alloc(SIGACTION_BYTES)
      if (libc().sigaction(signal, ignore, action) === 0) before.set(signal, action)
    }
    return work()
  } finally {
    for (const [signal, action] of before) libc().sigaction(signal, action, null)
  }
}

function spawnOrRunByShell(options: SpawnOptions): number {
  const { file, args } = options
  const result = spawn(options)
  if (result.error !== ENOEXEC) return orThrow(result)
  return orThrow(spawn({ ...options, file: '/bin/sh', args: ['sh', file, ...args.slice(1)] }))
}

interface Result {
  error: number
  pid: number
}

function orThrow({ error, pid }: Result): number {
  if (error !== 0) throw new SystemError(error, 'posix_spawn')
  return pid
}

/** posix_spawn(3) gives the error of whatever failed in the child as well. */
function spawn(options: SpawnOptions): Result {
  const c = libc()
  const { file, args, environment, stdio, ownSession = false, directory, ignoredSignals = [] } = options
  const actions = Buffer.alloc(STRUCT_BYTES)
  const attributes = Buffer.alloc(STRUCT_BYTES)
  const pid = Buffer.alloc(8)
  c.actionsInit(actions)
  c.attributesInit(attributes)
  try {
    succeed(c.attributesSetFlags(attributes, SETSIGDEF | SETSIGMASK | (ownSession ? SETSID : 0)))
    succeed(c.attributesSetSigdefault(attributes, signalsBut(ignoredSignals)))
    succeed(c.attributesSetSigmask(attributes, NO_SIGNALS))
    if (stdio !== undefined) addStdio(actions, stdio)
    if (directory !== undefined) {
      if (c.actionsAddChdir === undefined) return spawnByShell({ ...options, directory })
      succeed(c.actionsAddChdir(actions, cString(directory)))
    }
    const variables = [...environment].map(([name, value]) => joinVariable(name, value))
    const error = c.posixSpawn(
      pid,
      cString(file),
      actions,
      attributes,
      packStrings(args),
      packStrings(variables),
    )
    return { error, pid: pid.readInt32LE(0) }
  } finally {
    c.actionsDestroy(actions)
    c.attributesDestroy(attributes)
  }
}

/** Where the C library can't change to a directory in the child, a shell does, and becomes the program by its file's name. */
function spawnByShell({ directory = '/', ...options }: SpawnOptions): Result {
  const { file, args } = options
  const script = 'cd "$1" && file=$2 && shift 2 && exec "$file" "$@"'
  return spawn({
    ...options,
    file: '/bin/sh',
    args: ['sh', '-c', script, 'sh', directory, file, ...args.slice(1)],
  })
}

function addStdio(actions: Buffer, stdio: NonNullable<SpawnOptions['stdio']>): void {
  const c = libc()
  if ('terminal' in stdio) {
    // The leader of a session that has no controlling terminal gets the one that it opens, open(2) O_NOCTTY.
    succeed(c.actionsAddOpen(actions, 0, cString(stdio.terminal), O_RDWR, 0))
    for (const descriptor of [1, 2]) succeed(c.actionsAddDup2(actions, 0, descriptor))
    return
  }
  for (const [target, descriptor] of stdio.entries()) succeed(c.actionsAddDup2(actions, descriptor, target))
}

function succeed(error: number): void {
  if (error !== 0) throw new SystemError(error, 'posix_spawn')
}

/** sigset_t has a bit for each signal, from 1 on. */
function signalsBut(left: readonly number[]): Buffer {
  const set = Buffer.from(ALL_SIGNALS)
  for (const signal of left) {
    const bit = signal - 1
    set[bit >> 3] = (set[bit >> 3] ?? 0) & ~(1 << (bit & 7))
  }
  return set
}

function joinVariable(name: string, value: string | Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${name}=`), typeof value === 'string' ? Buffer.from(value) : value])
}

/** char *const[]: the pointers, a null pointer, and behind them, in the same memory, the strings. */
function packStrings(strings: readonly (string | Buffer)[]): Buffer {
  const ended = strings.map(cString)
  const start = POINTER_BYTES * (ended.length + 1)
  const memory = Buffer.alloc(start + ended.reduce((sum, { length }) => sum + length, 0))
  const address = libc().pointerTo(memory)
  let offset = start
  for (const [index, string] of ended.entries()) {
    memory.writeBigUInt64LE(address + BigInt(offset), POINTER_BYTES * index)
    offset += string.copy(memory, offset)
  }
  return memory
}
