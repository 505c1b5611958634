#!/bin/sh
# sshjob-server, as a batch system, a container or a shell starts it. The server itself is a program for Node.js, and
# Node.js makes a poor bystander of a job: it forgets which signals were ignored, raises the limit of open files, takes
# the job's NODE_OPTIONS, can't tell whether a signal was for it alone, reaps nobody's orphans, and may not start at
# all. So this shell stays in front of the job, and the server runs beside it. It is for dash, busybox ash and bash.
#
#   who waits for the job -> this shell -> sshjob-server.cjs -> the job
#
# The server hears from us, on a pipe, the number of each signal that we get, 'continued' and 'woken'. We hear from it,
# on another, the words of the loop below. The build fills in what stands between at signs.

if [ -n "${BASH_VERSION-}" ]; then
  # It takes options and functions from its environment: they are for the job.
  { set +aefuvx; } 2>/dev/null
  unset -f command echo jobs kill node printf read ulimit wait 2>/dev/null
fi

sshjob_state=new # then starting, running, ended; alone: running, without the server
sshjob_why= sshjob_early= sshjob_end= sshjob_server= sshjob_timer= sshjob_pid= sshjob_started= sshjob_caught=
sshjob_errors=2 sshjob_input= sshjob_reports= sshjob_words= sshjob_answers=

# What is asked for: the options as parseArguments() reads them, as far as needed to find the command.
sshjob_job=yes sshjob_required= sshjob_count=0 sshjob_value=
for sshjob_word; do
  if [ -z "$sshjob_value" ]; then
    case $sshjob_word in
      --)
        sshjob_count=$((sshjob_count + 1))
        break
        ;;
      --require-session) sshjob_required=yes ;;
      @FLAGS@) ;;
      @VALUES@) sshjob_value=yes ;;
      @WITH_VALUES@) ;;
      -?*)
        sshjob_job=
        break
        ;;
      *) break ;;
    esac
  else
    sshjob_value=
  fi
  sshjob_count=$((sshjob_count + 1))
done
[ "$sshjob_count" -lt $# ] || sshjob_job=

# To bash, SIGCHLD and SIGWINCH are no reason to stop reading: until the server is there to wake it, time is.
sshjob_wakes= sshjob_drowsy=0
[ -z "${BASH_VERSION-}" ] || sshjob_wakes='-t 1' sshjob_drowsy=1

sshjob_say() {
  # To a terminal with tostop, a job in the background may write only what it wants to be stopped for.
  trap '' 22
  printf '%s\n' "$1" >&"$sshjob_errors"
  trap 'sshjob_hear 22' 22
}

# The state of a process, and when it started; fails when it is gone.
sshjob_look() {
  { read -r sshjob_line <"/proc/$1/stat"; } 2>/dev/null || return 1
  # shellcheck disable=SC2086
  set -- ${sshjob_line##*) }
  sshjob_letter=$1
  shift 19
  sshjob_birth=$1
  case $sshjob_letter in [ZX]) return 1 ;; esac
}

# A signal has come. The job is told by the server, which knows whether it has it already.
sshjob_hear() {
  sshjob_heard=yes
  case $sshjob_state in
    new) sshjob_early="$sshjob_early $1" ;;
    alone)
      kill "-$1" "$sshjob_pid"
      return
      ;;
  esac
  [ -z "$sshjob_server" ] || echo "$1" >&"$sshjob_reports"
} 2>/dev/null

# We were stopped, and go on: so does the server, if it was stopped as well.
sshjob_go_on() {
  if [ -n "$sshjob_server" ] && sshjob_look "$sshjob_server" && [ "$sshjob_letter" = T ]; then
    sshjob_heard=yes
    kill -18 "$sshjob_server"
    echo woken >&"$sshjob_reports"
  else
    sshjob_hear 18
  fi
} 2>/dev/null

# A child has ended; as the first process of a container, we have many, and `jobs` is how a shell waits for them all.
sshjob_reap() {
  sshjob_heard=yes
  if [ -n "$sshjob_timer" ] && ! sshjob_look "$sshjob_timer"; then
    wait "$sshjob_timer" && sshjob_late=yes
    sshjob_timer=
  fi
  jobs
} >/dev/null 2>&1

# All that can be caught: not KILL and STOP, and not the C library's own.
sshjob_each_signal() {
  sshjob_number=1
  while [ $sshjob_number -le 64 ]; do
    case $sshjob_number in
      9 | 19 | 32 | 33) ;;
      *) "$1" ;;
    esac
    sshjob_number=$((sshjob_number + 1))
  done
} 2>/dev/null
sshjob_catch() {
  case $sshjob_number in
    17) command trap sshjob_reap 17 ;;
    18) command trap sshjob_go_on 18 ;;
    *) command trap "sshjob_hear $sshjob_number" $sshjob_number ;;
  esac
}
sshjob_let_go() {
  command trap - $sshjob_number
}

# From here on signals are nobody's. One that came was for the command: as it would have ended that, it ends us.
sshjob_catch_up() {
  trap - EXIT # bash heeds it when a signal ends it, too
  sshjob_each_signal sshjob_let_go
  for sshjob_number in $sshjob_early; do kill "-$sshjob_number" $$; done
}

sshjob_close() {
  for sshjob_digit in $sshjob_input $sshjob_reports $sshjob_words $sshjob_answers; do
    eval "exec $sshjob_digit>&-"
  done
}

# Why the job is run without the server, on its own stderr again.
sshjob_tell_why() {
  sshjob_close
  [ "$sshjob_errors" = 2 ] || eval "exec 2>&$sshjob_errors $sshjob_errors>&-"
  if [ -n "$sshjob_required" ]; then
    trap - EXIT
    echo "sshjob-server: $sshjob_why The job was not started, as --require-session says." >&2
    exit 255
  fi
  echo "sshjob-server: $sshjob_why The job runs all the same, and can't be entered." >&2
}

# The other shells put what they redirect aside, as descriptors above 9, and lose it where they can have none.
sshjob_look_at_files() {
  case $(ulimit -n) in [0-9] | 1[0-9]) ;; *) return ;; esac
  sshjob_why='The limit of open files (ulimit -n) is below 20, and the shell needs that.'
  trap - EXIT
  exec 9>&1 >&2
  [ -z "$sshjob_required" ] || {
    echo "sshjob-server: $sshjob_why The job was not started, as --require-session says."
    exit 255
  }
  echo "sshjob-server: $sshjob_why The job runs all the same, and can't be entered."
  exec >&9 9>&-
  shift "$sshjob_count"
  exec "$@"
}

# Until the server takes the job over, whatever ends this script, such as a fork that fails, the command is run. But not
# what a signal ends: bash heeds this then as well, so signals are caught first.
sshjob_fall_back='if [ "$sshjob_state" = new ]; then
    sshjob_why="No process could be started for the server."
    sshjob_tell_why
    shift "$sshjob_count"
    exec "$@"
  fi'
if [ -n "$sshjob_job" ]; then
  if [ -z "${BASH_VERSION-}" ]; then
    trap "$sshjob_fall_back" EXIT
    sshjob_look_at_files "$@"
  fi
  sshjob_each_signal sshjob_catch
  trap "$sshjob_fall_back" EXIT
fi

# Where we are, behind the link that a package manager made; beside that is the Node.js that it came with.
case $0 in
  */*) sshjob_here=$0 ;;
  *) sshjob_here=./$0 ;;
esac
sshjob_node=${sshjob_here%/*}/node
[ -x "$sshjob_node" ] && [ ! -d "$sshjob_node" ] || sshjob_node=node
[ ! -L "$sshjob_here" ] || sshjob_here=$(command -p readlink -f "$sshjob_here")
sshjob_program=${sshjob_here%/*}/sshjob-server.cjs
if ! command -v "$sshjob_node" >/dev/null; then
  sshjob_why='There is no Node.js: neither beside this program nor in PATH.'
fi

# What is the job's, and would have its effect on our own process.
sshjob_keep_from_us() {
  unset LD_AUDIT LD_BIND_NOT LD_BIND_NOW LD_DEBUG LD_DEBUG_OUTPUT LD_DYNAMIC_WEAK LD_HWCAP_MASK LD_ORIGIN_PATH \
    LD_PRELOAD LD_PROFILE LD_PROFILE_OUTPUT LD_SHOW_AUXV LD_TRACE_LOADED_OBJECTS LD_VERBOSE LD_WARN GLIBC_TUNABLES \
    MALLOC_ARENA_MAX MALLOC_CHECK_ MALLOC_PERTURB_ MALLOC_TRACE NODE_CHANNEL_FD NODE_CHANNEL_SERIALIZATION_MODE \
    NODE_COMPILE_CACHE NODE_DEBUG NODE_DEBUG_NATIVE NODE_EXTRA_CA_CERTS NODE_ICU_DATA NODE_NO_WARNINGS NODE_OPTIONS \
    NODE_PATH NODE_PENDING_DEPRECATION NODE_PRESERVE_SYMLINKS NODE_PRESERVE_SYMLINKS_MAIN NODE_REDIRECT_WARNINGS \
    NODE_TLS_REJECT_UNAUTHORIZED NODE_UNIQUE_ID NODE_USE_ENV_PROXY NODE_USE_SYSTEM_CA NODE_V8_COVERAGE OPENSSL_CONF \
    OPENSSL_CONF_INCLUDE OPENSSL_ENGINES OPENSSL_MODULES SSL_CERT_DIR SSL_CERT_FILE SSLKEYLOGFILE \
    UV_THREADPOOL_SIZE UV_USE_IO_URING
  # Some need it to find their libraries, and others find the wrong ones with it.
  [ -z "${LD_LIBRARY_PATH-}" ] || if (
    unset LD_LIBRARY_PATH
    "$sshjob_node" --version
  ) >/dev/null 2>&1; then unset LD_LIBRARY_PATH; fi
}

# What Node.js needs, or more would be lost than sessions: it ends, or never starts, where it runs out of one of them.
sshjob_need() {
  case $2 in
    '' | *[!0-9]*) return ;;
  esac
  [ "$2" -ge "$3" ] || sshjob_why="The limit of $1 is $2, and Node.js needs $3."
}
# One redirection alone: a shell that has none left for what it puts aside skips the command.
if [ -n "$sshjob_job" ] && [ -r /proc/$$/limits ]; then
  sshjob_line=
  while read -r sshjob_a sshjob_b sshjob_c sshjob_d sshjob_e sshjob_line; do
    case "$sshjob_a $sshjob_b $sshjob_c" in
      'Max address space') sshjob_need 'address space in bytes (ulimit -v)' "$sshjob_d" @NODE_ADDRESS_SPACE_MIN@ ;;
      'Max data size') sshjob_need 'data in bytes (ulimit -d)' "$sshjob_d" @NODE_DATA_MIN@ ;;
      'Max open files') sshjob_need 'open files (ulimit -Hn)' "$sshjob_e" @NODE_FILES_MIN@ ;;
      'Max processes '*) sshjob_need 'processes (ulimit -u)' "$sshjob_c" @NODE_PROCESSES_MIN@ ;;
    esac
  done </proc/$$/limits
fi

# No shell but bash knows descriptors above 9, and those that were inherited are the job's. One of the first three that is
# closed would be taken by the next file that is opened.
sshjob_free=
if [ -d /proc/$$/fd ]; then
  [ -e /proc/$$/fd/0 ] || command exec </dev/null
  [ -e /proc/$$/fd/1 ] || command exec >/dev/null
  [ -e /proc/$$/fd/2 ] || command exec 2>/dev/null
  for sshjob_digit in 3 4 5 6 7 8 9; do
    [ -e "/proc/$$/fd/$sshjob_digit" ] || sshjob_free=$sshjob_free$sshjob_digit
  done
fi
sshjob_take() {
  sshjob_rest=${sshjob_free#?}
  sshjob_digit=${sshjob_free%"$sshjob_rest"}
  sshjob_free=$sshjob_rest
}
# A fresh pipe, to read from as this descriptor. A here-document is one in dash and busybox, with what it says in it;
# in bash it may be a file, and a process substitution is a pipe.
sshjob_pipe() {
  if [ -n "${BASH_VERSION-}" ]; then
    set +o posix
    eval "command exec $1< <(:)"
  else
    eval "command exec $1<<E

E"
  fi 2>/dev/null
  [ -p "/proc/$$/fd/$1" ]
}
sshjob_open() {
  case $sshjob_free in ?????*) ;; *) return 1 ;; esac
  sshjob_take && sshjob_input=$sshjob_digit
  sshjob_take && sshjob_stderr=$sshjob_digit
  sshjob_take && sshjob_reports=$sshjob_digit
  sshjob_take && sshjob_words=$sshjob_digit
  sshjob_take && sshjob_answers=$sshjob_digit
  # With both of its ends ours, writing to it neither waits for the server nor fails without it.
  sshjob_pipe "$sshjob_reports" && eval "command exec $sshjob_reports<>/proc/$$/fd/$sshjob_reports" &&
    sshjob_pipe "$sshjob_words" && eval "command exec $sshjob_answers>/proc/$$/fd/$sshjob_words"
} 2>/dev/null

if [ -z "$sshjob_job" ]; then
  [ -z "$sshjob_why" ] || {
    echo "sshjob-server: $sshjob_why" >&2
    exit 255
  }
fi
if [ -z "$sshjob_why" ] && { [ -z "$sshjob_job" ] || ! sshjob_open; }; then
  # Anything but a job; or one where we can have no pipes. The server does it alone, as well as that can be done.
  sshjob_close
  # dash leaves out variables whose names no shell can export.
  sshjob_bytes=$(command -p od -An -v -tx1 /proc/$$/environ 2>/dev/null)
  if [ -n "$sshjob_bytes" ] && [ ${#sshjob_bytes} -lt @ENVIRONMENT_TEXT_MAX@ ]; then
    export SSHJOB_ENVIRONMENT="$sshjob_bytes"
    sshjob_keep_from_us
  fi
  if [ -n "$sshjob_job" ]; then
    # Node.js marks what it inherits as its own, as a shell does with what it opens: O_CLOEXEC, in octal.
    sshjob_taken=
    for sshjob_file in /proc/$$/fdinfo/*; do
      sshjob_number=${sshjob_file##*/}
      # Not what the pattern was expanded with, nor this script, which dash forgets to mark.
      [ -e "$sshjob_file" ] && ! [ "/proc/$$/fd/$sshjob_number" -ef "$0" ] || continue
      while [ "$sshjob_number" -gt 2 ] && read -r sshjob_a sshjob_b; do
        [ "$sshjob_a" != flags: ] || [ $((sshjob_b & 02000000)) -ne 0 ] ||
          sshjob_taken="$sshjob_taken $sshjob_number"
      done 2>/dev/null <"$sshjob_file"
    done
    export SSHJOB_DESCRIPTORS="$sshjob_taken"
    sshjob_catch_up
  fi
  exec "$sshjob_node" "$sshjob_program" "$@"
fi

# Starts what the server may take, and no longer: the file system that it lies on may hang.
sshjob_set_timer() {
  eval "{ trap - EXIT; PATH=\${PATH:+\$PATH:}/usr/bin:/bin; exec sleep $1; } </dev/null >/dev/null $sshjob_errors>&- \
    $sshjob_reports>&- $sshjob_words<&- &"
  sshjob_timer=$!
}

if [ -z "$sshjob_why" ]; then
  eval "exec $sshjob_input<&0 $sshjob_stderr>&2"
  sshjob_errors=$sshjob_stderr
  command exec 2>/dev/null
  # Its own stdin, stdout and stderr are nobody's: what it says, it says on the job's stderr, by its number.
  eval '{
    trap - EXIT
    export SSHJOB_WRAPPER="$$ $sshjob_input $sshjob_words $sshjob_errors $sshjob_reports $sshjob_answers $sshjob_drowsy"
    sshjob_keep_from_us
    exec "$sshjob_node" "$sshjob_program" "$@"
  } '"$sshjob_words>&1 </dev/null >/dev/null 2>/dev/null &"
  sshjob_server=$!
  for sshjob_number in $sshjob_early; do echo "$sshjob_number" >&"$sshjob_reports"; done
  eval "exec $sshjob_answers>&- $sshjob_input<&-"
  sshjob_answers= sshjob_input=
  sshjob_set_timer @NODE_START_DEADLINE_SECONDS@

  while :; do
    sshjob_heard= sshjob_late=
    # shellcheck disable=SC2086
    if read -r $sshjob_wakes sshjob_verb sshjob_rest <&"$sshjob_words"; then
      case $sshjob_verb in
        starting)
          sshjob_state=starting sshjob_wakes=
          [ -z "$sshjob_timer" ] || kill "$sshjob_timer"
          ;;
        started)
          sshjob_state=running sshjob_pid=$sshjob_rest
          sshjob_look "$sshjob_pid" && sshjob_started=$sshjob_birth
          # Whoever reads the job's output, or writes to it, learns when the job has closed its own.
          command exec </dev/null >/dev/null
          ;;
        stop)
          # As the job was: who waits for us sees it. It lasts until somebody continues us.
          [ "$sshjob_rest" = 19 ] || trap - "$sshjob_rest"
          kill "-$sshjob_rest" $$
          [ "$sshjob_rest" = 19 ] || trap "sshjob_hear $sshjob_rest" "$sshjob_rest"
          echo continued >&"$sshjob_reports"
          ;;
        say) sshjob_say "$sshjob_rest" ;;
        exit | signal) sshjob_state=ended sshjob_end="$sshjob_verb $sshjob_rest" ;;
        bare)
          case $sshjob_state in
            new | starting)
              sshjob_state=new sshjob_why=$sshjob_rest
              break
              ;;
          esac
          ;;
        bye) break ;;
      esac
    elif [ $? -eq 1 ] && [ -z "$sshjob_heard" ]; then
      break # the server has ended
    fi
    if [ -n "$sshjob_late" ] && [ "$sshjob_state" = new ]; then
      [ -z "$sshjob_why" ] || break
      sshjob_why='Node.js had not started after @NODE_START_DEADLINE_SECONDS@ s.'
      kill -9 "$sshjob_server"
      sshjob_set_timer 2
    fi
  done
  [ -z "$sshjob_timer" ] || kill -9 "$sshjob_timer"
fi

case $sshjob_state in
  new) ;; # goes on below
  ended)
    trap - EXIT
    sshjob_number=${sshjob_end#* }
    [ "${sshjob_end% *}" = signal ] || exit "$sshjob_number"
    # Who waits for us sees how the job ended. The core is the job's.
    ulimit -c 0
    while read -r sshjob_a sshjob_b; do
      [ "$sshjob_a" != SigCgt: ] || sshjob_caught=$sshjob_b
    done </proc/$$/status
    [ "$sshjob_number" = 9 ] || sshjob_let_go
    kill "-$sshjob_number" $$
    # bash and busybox ignore SIGQUIT for themselves, but not for what they become.
    case $$-$sshjob_number$sshjob_caught in
      1-*) ;;
      *-3*[4567cdef])
        PATH=${PATH:+$PATH:}/usr/bin:/bin
        { sleep 0.1 || sleep 1; kill -3 $$; } </dev/null >/dev/null &
        command exec sleep 60
        ;;
    esac
    exit $((128 + sshjob_number)) # the first process of a container can't
    ;;
  starting)
    trap - EXIT
    sshjob_say 'sshjob-server: Node.js has ended while it started the job: what became of it is not known.'
    exit 255
    ;;
  running)
    sshjob_state=alone
    sshjob_say "sshjob-server: Node.js has ended: the job goes on as process $sshjob_pid, can't be entered any more, and its exit status is lost."
    while sshjob_look "$sshjob_pid" && [ "$sshjob_birth" = "$sshjob_started" ]; do
      command -p sleep 1 || [ $? -gt 128 ] || break
    done
    trap - EXIT
    exit 255
    ;;
esac

# Without the server: the job runs all the same, in our place.
[ -n "$sshjob_why" ] || sshjob_why='Node.js ended before it had started the job.'
[ -z "$sshjob_server" ] || kill -9 "$sshjob_server"
for sshjob_child in $sshjob_timer $sshjob_server; do
  while [ -z "$sshjob_late" ] && kill -0 "$sshjob_child"; do wait "$sshjob_child"; done
done 2>/dev/null
sshjob_catch_up
sshjob_tell_why
shift "$sshjob_count"
exec "$@"
