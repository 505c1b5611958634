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
 * whatever signal, and it hangs up the sessions that it was told of, by the rules of hang-up.ts. Of a terminal only the
 * leader's group is known by then: the kernel has hung it up already.
 *
 * A session is its leader's pid and start time, and what its processes got from us: inodes of pipes, or a terminal's path.
 * POSIX sh, so that dash, busybox and bash all run it; only `sleep` and `ls` are not built in. SigIgn is a number in
 * hexadecimal digits: HUP is 1 in the last of them, TERM 4 in the fourth from there.
 */
const script = `
trap '' HUP INT QUIT TERM PIPE USR1 USR2 TSTP
sessions=' '
end='
'
while read -r verb id start given; do
  left=' '
  for session in $sessions; do
    case $session in "$id":*) ;; *) left="$left$session " ;; esac
  done
  sessions=$left
  [ "$verb" = add ] && sessions="$sessions$id:$start:$given "
done
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
  input.write(`add ${pid} ${startTime} ${given.join(',')}\n`)
}

/**
 * From now on this session is hung up if we end without having done it. A machine without /bin/sh has nobody for that:
 * there, sessions outlive a starter that is killed as far as the kernel lets them.
 */
export function watchSession(session: PosixSession): void {
  watched.set(session.leader.pid, session)
  if (attendant !== undefined) return tell(attendant.input, session)
  attendant = start()
  for (const each of watched.values()) if (attendant !== undefined) tell(attendant.input, each)
}

/** The session's leader has ended, or it is hung up: what it left on purpose stays, and its number may come again. */
export function unwatchSession({ leader }: PosixSession): void {
  if (watched.delete(leader.pid)) attendant?.input.write(`del ${leader.pid}\n`)
}
