import { createRequire } from 'node:module'
import { constants } from 'node:os'
import type { LibraryHandle } from 'koffi'
import { messageOf, SshjobError } from '../core/errors.js'
import { KOFFI_PLATFORM, koffiPlatform } from './koffi-package.js'
import { SystemError } from './system-error.js'

/**
 * What Node.js can't do and the C library can, called through koffi. The signatures are those of the man pages, as
 * glibc and musl have them on 64-bit processors; a `Buffer` is the memory that a pointer points to.
 *
 * Memory that is handed over as an argument stays where it is during the call: it is referenced, and V8 never moves
 * what is outside of its heap. C keeps no pointer beyond the call.
 */
export interface Libc {
  /** Whether it is glibc, and not musl. */
  readonly isGlibc: boolean
  /** The address of this memory, for a pointer inside of it: so whoever holds on to the one does so to the other. */
  pointerTo(memory: Buffer): bigint

  posixSpawn(
    pid: Buffer,
    path: Buffer,
    actions: Buffer,
    attributes: Buffer,
    argv: Buffer,
    env: Buffer,
  ): number
  actionsInit(actions: Buffer): number
  actionsAddDup2(actions: Buffer, from: number, to: number): number
  actionsAddOpen(actions: Buffer, descriptor: number, path: Buffer, flags: number, mode: number): number
  /** Not in POSIX before 2024, nor in glibc before 2.29 (RHEL 8 has 2.28): undefined there. */
  actionsAddChdir: ((actions: Buffer, path: Buffer) => number) | undefined
  actionsDestroy(actions: Buffer): number
  attributesInit(attributes: Buffer): number
  attributesSetFlags(attributes: Buffer, flags: number): number
  attributesSetSigdefault(attributes: Buffer, signals: Buffer): number
  attributesSetSigmask(attributes: Buffer, signals: Buffer): number
  attributesDestroy(attributes: Buffer): number
  waitpid(pid: number, status: Buffer, options: number): number
  sigaction(signal: number, action: Buffer | null, before: Buffer | null): number

  pipe2(descriptors: Buffer, flags: number): number
  fcntl(descriptor: number, command: number, argument: number): number
  ioctl(descriptor: number, request: number, argument: Buffer): number
  closeRange(first: number, last: number, flags: number): number
  prlimit(pid: number, resource: number, limit: Buffer | null, before: Buffer | null): number

  posixOpenpt(flags: number): number
  grantpt(master: number): number
  unlockpt(master: number): number
  ptsname(master: number, name: Buffer, size: number): number

  socketpair(domain: number, type: number, protocol: number, descriptors: Buffer): number
  /** In a thread of libuv's: a file system may not answer. */
  statvfs(path: Buffer, struct: Buffer): Promise<number>
  /** glibc has it alone. */
  mallocTrim: ((pad: number) => number) | undefined

  exit(status: number): void
  errno(): number
}

/** syscall(2) close_range(2), Linux 5.9: newer than the C libraries. All architectures have this number. */
const SYS_CLOSE_RANGE = 436

let loaded: Libc | SshjobError | undefined

/**
 * The C library that this process runs on. koffi is loaded with the first call, which takes 3 ms: who starts nothing
 * does without.
 * @throws SshjobError 'spawn-failed' where koffi can't be loaded
 */
export function libc(): Libc {
  if (loaded === undefined) {
    try {
      loaded = bind()
    } catch (cause) {
      const [reason] = messageOf(cause).split('\n')
      loaded = new SshjobError(
        'spawn-failed',
        `No process can be started here, since koffi, which calls the system for that, can't be loaded: ${reason}. Install sshjob again on this kind of machine, with optional dependencies.`,
        { cause },
      )
    }
  }
  if (loaded instanceof SshjobError) throw loaded
  return loaded
}

/**
 * The package of koffi that is made for this platform. Its main module would load the same one, after it has looked
 * at files for as long as all the rest takes.
 */
function loadKoffi(): typeof import('koffi') {
  if (constants.signals.SIGCHLD !== 17 || !['x64', 'arm64', 'riscv64', 'loong64'].includes(process.arch))
    throw new Error(`sshjob does not know the system calls of ${process.arch}`)
  const platform = koffiPlatform(import.meta.url)
  if (platform === undefined) throw new Error(`the package ${KOFFI_PLATFORM} is not installed beside it`)
  return createRequire(import.meta.url)(platform)
}

function bind(): Libc {
  const koffi = loadKoffi()
  const library = koffi.load(null)
  const chdir = 'int posix_spawn_file_actions_addchdir_np(void *actions, const void *path)'
  // On these processors variadic functions take integers and pointers as all others do.
  const syscall = library.func('long syscall(long number, unsigned int first, unsigned int last, int flags)')
  return {
    pointerTo: koffi.address,
    errno: koffi.errno,
    isGlibc: functionIfThere(library, 'const char *gnu_get_libc_version(void)') !== undefined,
    closeRange: (first, last, flags) => Number(syscall(SYS_CLOSE_RANGE, first, last, flags)),

    // posix_spawn(3), posix_spawn_file_actions_addopen(3), posix_spawnattr_setflags(3) and their kin
    posixSpawn: library.func(
      'int posix_spawn(void *pid, const void *path, void *actions, void *attributes, void *argv, void *envp)',
    ),
    actionsInit: library.func('int posix_spawn_file_actions_init(void *actions)'),
    actionsAddDup2: library.func('int posix_spawn_file_actions_adddup2(void *actions, int from, int to)'),
    actionsAddOpen: library.func(
      'int posix_spawn_file_actions_addopen(void *actions, int fd, const void *path, int flags, unsigned int mode)',
    ),
    actionsAddChdir: functionIfThere(library, chdir),
    actionsDestroy: library.func('int posix_spawn_file_actions_destroy(void *actions)'),
    attributesInit: library.func('int posix_spawnattr_init(void *attributes)'),
    attributesSetFlags: library.func('int posix_spawnattr_setflags(void *attributes, short flags)'),
    attributesSetSigdefault: library.func(
      'int posix_spawnattr_setsigdefault(void *attributes, void *signals)',
    ),
    attributesSetSigmask: library.func('int posix_spawnattr_setsigmask(void *attributes, void *signals)'),
    attributesDestroy: library.func('int posix_spawnattr_destroy(void *attributes)'),

    waitpid: library.func('int waitpid(int pid, void *status, int options)'), // waitpid(2)
    sigaction: library.func('int sigaction(int signal, const void *action, void *before)'), // sigaction(2)
    pipe2: library.func('int pipe2(void *descriptors, int flags)'), // pipe(2)
    fcntl: library.func('int fcntl(int fd, int command, int argument)'), // fcntl(2)
    ioctl: library.func('int ioctl(int fd, unsigned long request, void *argument)'), // ioctl_tty(2)
    prlimit: library.func('int prlimit(int pid, int resource, const void *limit, void *before)'), // getrlimit(2)
    posixOpenpt: library.func('int posix_openpt(int flags)'), // posix_openpt(3)
    grantpt: library.func('int grantpt(int fd)'), // grantpt(3)
    unlockpt: library.func('int unlockpt(int fd)'), // unlockpt(3)
    ptsname: library.func('int ptsname_r(int fd, void *name, size_t size)'), // ptsname(3)
    socketpair: library.func('int socketpair(int domain, int type, int protocol, void *descriptors)'), // socketpair(2)
    statvfs: inThread(library.func('int statvfs(const void *path, void *struct)')), // statvfs(3)
    mallocTrim: functionIfThere(library, 'int malloc_trim(size_t pad)'), // malloc_trim(3)
    exit: library.func('void _exit(int status)'), // _exit(2)
  }
}

function inThread(call: ReturnType<LibraryHandle['func']>): (...memory: Buffer[]) => Promise<number> {
  return (...memory) =>
    new Promise((resolve, reject) => {
      call.async(...memory, (error: unknown, result: unknown) => {
        // Named here, the memory is kept for as long as the thread has it.
        if (error === null && memory.length > 0) resolve(Number(result))
        else reject(error)
      })
    })
}

function functionIfThere(
  library: LibraryHandle,
  definition: string,
): ReturnType<LibraryHandle['func']> | undefined {
  try {
    return library.func(definition)
  } catch {
    return undefined
  }
}

/** A string of C: its bytes, and the zero byte that ends it. @throws RangeError if there is one in it */
export function cString(text: string | Buffer): Buffer {
  if (text.includes('\0')) throw new RangeError('A string with a zero byte is none of C.')
  return Buffer.concat([typeof text === 'string' ? Buffer.from(text) : text, Buffer.alloc(1)])
}

/** Gives what a function of C has returned. @throws SystemError if that is -1 */
export function check(result: number, syscall: string): number {
  if (result === -1) throw new SystemError(libc().errno(), syscall)
  return result
}
