import { closeSync, openSync } from 'node:fs'
import { Socket } from 'node:net'
import { SESSION_KILL_DELAY_MS } from '../core/limits.js'
import { makePipe } from './descriptors.js'
import { release } from './exits.js'
import { DEFAULT_PATH, findProgramSync } from './find-program.js'
import type { PosixSession } from './hang-up.js'
import { shimShell } from './shim-shell.js'
import { spawnProcess } from './spawn.js'

/**
 * A small process beside this one, in a session of its own, with one pipe from us: when that ends, we have ended, by
 * whatever signal, and it hangs up the sessions that it was told of, by the rules of hang-up.ts, and removes the
 * directories that it was told of. Of a terminal only the leader's group is known by then: the kernel has hung it up
 * already.
 *
 * A session is its leader's pid and start time, and what its processes got from us: inodes of pipes, or a terminal's path.
 * POSIX sh, so that dash, busybox and bash all run it; only `sleep`, `ls`,
 * `rm` and `rmdir` are not built in. SigIgn is a number in
 * hexadecimal digits: HUP is 1 in the last of them, TERM 4 in the fourth from there.
 */
const script = `
trap '' HUP INT QUIT TERM PIPE USR1 USR2 TSTP
sessions=' '
directories=' '
end='
'
while read -r verb id rest; do
  left=' '
  case $verb in
    own) directories="$directories$id "
      eval "directory_$id=\\$rest"
      continue ;;
    disown)
      for number in $directories; do [ "$number" = "$id" ] || left="$left$number "; done
      directories=$left
      unset "directory_$id"
      continue ;;
  esac
  for session in $sessions; do
    case $session in "$id":*) ;; *) left="$left$session " ;; esac
  done
  sessions=$left
  [ "$verb" = add ] && sessions="$sessions$id:$rest "
done
# Beside what follows: a file system may not answer. The files by their names, and nothing else that is there.
for number in $directories; do
  eval "directory=\\$directory_$number"
  names=\${directory%%/*}
  directory=/\${directory#*/}
  for name in $names; do rm -f "$directory/$name"; done
  rmdir "$directory"
done &
ours=' '
for session in $sessions; do
  id=\${session%%:*}
  start=\${session#*:}
  if read -r line < "/proc/$id/stat"; then
    set -- \${line##*) }
    [ "\${20}" = "\${start%%:*}" ] || continue
  fi
  ours="$ours$session "
done
[ "$ours" = ' ' ] && exit 0
holds() {
  files=$(ls -l "/proc/$1/fd") || return 0
  IFS=,
  for item in $2; do
    case $item in /*) ;; *) item="pipe:[$item]" ;; esac
    case $files$end in *"-> $item$end"* | *"-> $item (deleted)$end"*) unset IFS; return 0 ;; esac
  done
  unset IFS
  return 1
}
look() {
  found=
  for stat in /proc/[0-9]*/stat; do
    read -r line < "$stat" || continue
    set -- \${line##*) }
    case $1:$ours in Z:*) continue ;; *" $4:"*) ;; *) continue ;; esac
    pid=\${stat#/proc/}
    pid=\${pid%/stat}
    given=\${ours##* $4:}
    given=\${given%% *}
    given=\${given#*:}
    ignored=0000
    while read -r name value; do
      case $name in SigIgn:) ignored=$value; break ;; esac
    done < "/proc/$pid/status"
    case $ignored:$given in
      *[4567cdef]??[13579bdf]:*) ;;
      *[13579bdf]:*) continue ;;
      *:/*) [ "$3" = "$4" ] || continue ;;
    esac
    holds "$pid" "$given" && found="$found $pid"
  done
  [ -n "$found" ]
}
look || exit 0
kill -HUP $found
kill -CONT $found
kill -TERM $found
tries=0
while [ $tries -lt ${Math.ceil(SESSION_KILL_DELAY_MS / 100)} ]; do
  tries=$((tries + 1))
  sleep 0.1 || sleep 1
  look || exit 0
done
while look; do
  kill -KILL $found || exit 0
  sleep 0.1 || sleep 1
done
`

interface Attendant {
  readonly pid: number
  readonly input: Socket
}

let attendant: Attendant | undefined
const watched = new Map<number, PosixSession>()
const directories = new Map<number, string>()
let lastDirectory = 0

function start(): Attendant | undefined {
  const pipe = makePipe()
  try {
    const nothing = openSync('/dev/null', 'r+')
    try {
      const { pid, ended } = spawnProcess({
        file: findProgramSync('/bin/sh', { path: undefined }) ?? shimShell() ?? '/bin/sh',
        args: ['sh', '-c', script],
        stdio: [pipe.read, nothing, nothing],
        // SHLVL above 1 keeps a bash whose stdin is a socket from taking itself for a child of rshd and reading
        // ~/.bashrc (bash(1), INVOCATION).
        environment: [
          // The system's folders first: others may be on a file system that does not answer.
          ['PATH', `${DEFAULT_PATH}:${process.env.PATH ?? ''}`],
          ['SHLVL', '2'],
        ],
        directory: '/',
        ownSession: true,
      })
      // It must not keep a program alive that has nothing else to do.
      release(pid)
      const started = { pid, input: new Socket({ fd: pipe.write, readable: false, writable: true }) }
      started.input.unref()
      // It was killed: the next call starts another.
      started.input.on('error', () => undefined)
      void ended.then(() => {
        started.input.destroy()
        if (attendant === started) attendant = undefined
      })
      return started
    } finally {
      closeSync(nothing)
      closeSync(pipe.read)
    }
  } catch {
    closeSync(pipe.write)
    return undefined
  }
}

function tell(input: Socket, session: PosixSession): void {
  const { pid, startTime } = session.leader
  const given = session.given.map((name) => /^pipe:\[(\d+)\]$/.exec(name)?.[1] ?? name)
  input.write(`add ${pid} ${startTime}:${given.join(',')}\n`)
}

/**
 * From now on this session is hung up if we end without having done it. A machine without /bin/sh has nobody for that:
 * there, sessions outlive a starter that is killed as far as the kernel lets them.
 */
export function watchSession(session: PosixSession): void {
  watched.set(session.leader.pid, session)
  if (attendant === undefined) callAttendant()
  else tell(attendant.input, session)
}

function tellDirectory(input: Socket, number: number, text: string): void {
  input.write(`own ${number} ${text}\n`)
}

/** Starts it, and tells it all. */
function callAttendant(): void {
  attendant = start()
  if (attendant === undefined) return
  for (const each of watched.values()) tell(attendant.input, each)
  for (const [number, text] of directories) tellDirectory(attendant.input, number, text)
}

/** The session's leader has ended, or it is hung up: what it left on purpose stays, and its number may come again. */
export function unwatchSession({ leader }: PosixSession): void {
  if (watched.delete(leader.pid)) attendant?.input.write(`del ${leader.pid}\n`)
}

/**
 * From now on, this directory is removed if we are killed, and before it the files of these names that are in it. The
 * path is absolute.
 * @returns what to call once it is removed
 */
export function watchDirectory(path: string, names: readonly string[]): () => void {
  // A line is all that the attendant reads.
  if (path.includes('\n')) return () => undefined
  const number = ++lastDirectory
  const text = `${names.join(' ')}${path}`
  directories.set(number, text)
  if (attendant === undefined) callAttendant()
  else tellDirectory(attendant.input, number, text)
  return () => {
    if (directories.delete(number)) attendant?.input.write(`disown ${number}\n`)
  }
}
