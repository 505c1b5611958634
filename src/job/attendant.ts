import type { ChildProcess } from 'node:child_process'
import type { Writable } from 'node:stream'
import { SESSION_KILL_DELAY_MS } from '../core/limits.js'
import { startChild } from './child.js'

/** The descriptors in which the attendant shows fresh pipes. A POSIX shell knows no redirection above 9. */
export const PIPE_DESCRIPTORS = [3, 4, 5, 6, 7, 8, 9] as const

const hereDocuments = PIPE_DESCRIPTORS.map((n) => `exec ${n}<<E\n\nE\n`).join('')
const substitutions = PIPE_DESCRIPTORS.map((n) => `${n}< <(:)`).join(' ')
const closing = PIPE_DESCRIPTORS.map((n) => `${n}<&-`).join(' ')

/**
 * A small process beside this one, in a session of its own, with one pipe from us. It does what Node.js can't:
 * outlive us, and make pipes.
 *
 * - When its input ends, we have ended, by whatever signal: it removes the directories that it was told of, and ends
 *   what is left of the sessions. POSIX sh, so that dash, busybox and bash all run it; only `sleep`, `rm` and `rmdir`
 *   are not built in.
 * - 'pipes' opens a fresh pipe in each of PIPE_DESCRIPTORS, 'drop' closes them (see pipes.ts). The text of a
 *   here-document travels in a pipe(2) in dash and in busybox. In bash it may be a temporary file instead, and a
 *   process substitution is always a pipe.
 */
const script = `
trap '' HUP INT QUIT TERM PIPE USR1 USR2 TSTP
sessions=' '
directories=' '
while read -r verb id; do
  case $verb in
    add) sessions="$sessions$id " ;;
    del) left=' '
      for session in $sessions; do [ "$session" = "$id" ] || left="$left$session "; done
      sessions=$left ;;
    own) number=\${id%% *}
      directories="$directories$number "
      eval "directory_$number=\\\${id#* }" ;;
    disown) left=' '
      for number in $directories; do [ "$number" = "$id" ] || left="$left$number "; done
      directories=$left
      unset "directory_$id" ;;
    pipes) if [ -n "\${BASH_VERSION-}" ]; then set +o posix; eval 'exec ${substitutions}'
      else
${hereDocuments}      fi ;;
    drop) exec ${closing} ;;
  esac
done
exec ${closing}
# Beside what follows: a file system may not answer. The files by their names, and nothing else that is there.
for number in $directories; do
  eval "directory=\\$directory_$number"
  names=\${directory%%/*}
  directory=/\${directory#*/}
  for name in $names; do rm -f "$directory/$name"; done
  rmdir "$directory"
done &
[ "$sessions" = ' ' ] && exit 0
members() {
  found=
  for stat in /proc/[0-9]*/stat; do
    read -r line < "$stat" || continue
    set -- \${line##*) }
    case $sessions in *" $4 "*)
      pid=\${stat#/proc/}
      [ "$1" = Z ] || found="$found \${pid%/stat}" ;;
    esac
  done
  [ -n "$found" ]
}
members || exit 0
kill -HUP $found
kill -CONT $found
kill -TERM $found
tries=0
while [ $tries -lt ${Math.ceil(SESSION_KILL_DELAY_MS / 100)} ]; do
  tries=$((tries + 1))
  sleep 0.1 || sleep 1
  members || exit 0
done
while members; do
  kill -KILL $found
  sleep 0.1 || sleep 1
done
`

interface Attendant {
  readonly pid: number
  readonly input: Writable
}

let attendant: Attendant | undefined
const watched = new Set<number>()
const directories = new Map<number, string>()
let lastDirectory = 0

function start(): Attendant | undefined {
  let child: ChildProcess
  try {
    child = startChild('/bin/sh', ['-c', script], {
      stdio: ['pipe', 'ignore', 'ignore'],
      // SHLVL above 1 keeps a bash whose stdin is a socket from taking itself for a child of rshd and reading
      // ~/.bashrc (bash(1), INVOCATION).
      environment: { PATH: process.env.PATH ?? '/usr/local/bin:/usr/bin:/bin', SHLVL: '2' },
      directory: '/',
      argv0: 'sh',
    })
  } catch {
    return undefined
  }
  if (child.pid === undefined || child.stdin === null) return undefined
  const started: Attendant = { pid: child.pid, input: child.stdin }
  child.once('exit', () => {
    if (attendant === started) attendant = undefined
  })
  // It was killed: 'exit' follows, and the next call starts another.
  child.stdin.on('error', () => undefined)
  // It must not keep a program alive that has nothing else to do.
  child.unref()
  if ('unref' in child.stdin && typeof child.stdin.unref === 'function') child.stdin.unref()
  return started
}

/**
 * Starts the attendant unless it runs. A machine without /bin/sh has none: then pipes are socket pairs, and
 * sessions outlive a starter that is killed.
 * @returns its pid, or undefined if it can't be started
 */
export function callAttendant(): number | undefined {
  if (attendant === undefined) {
    attendant = start()
    for (const session of watched) attendant?.input.write(`add ${session}\n`)
    for (const [number, text] of directories) attendant?.input.write(`own ${number} ${text}\n`)
  }
  return attendant?.pid
}

/** Tells the attendant one line. It has left this process, in the kernel's hands, when the call returns. */
export function tellAttendant(line: 'pipes' | 'drop'): void {
  attendant?.input.write(`${line}\n`)
}

/** From now on, processes of this POSIX session are ended if we are. */
export function watchSession(session: number): void {
  callAttendant()
  watched.add(session)
  attendant?.input.write(`add ${session}\n`)
}

/** The session is over: what it left on purpose stays, and its number may come again. */
export function unwatchSession(session: number): void {
  if (watched.delete(session)) attendant?.input.write(`del ${session}\n`)
}

/**
 * From now on, this directory is removed if we are killed, and before it the files of these names that are in it. The
 * path is absolute.
 * @returns what to call once it is removed
 */
export function watchDirectory(path: string, names: readonly string[]): () => void {
  // A line is all that the attendant reads.
  if (path.includes('\n')) return () => undefined
  callAttendant()
  const number = ++lastDirectory
  const text = `${names.join(' ')}${path}`
  directories.set(number, text)
  attendant?.input.write(`own ${number} ${text}\n`)
  return () => {
    if (directories.delete(number)) attendant?.input.write(`disown ${number}\n`)
  }
}
