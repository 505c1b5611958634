/**
 * Every limit of the project, by name. Times are milliseconds and sizes are bytes unless the name says otherwise.
 */

const KIB = 1024
const MIB = 1024 * KIB

/** The longest hello, its line end included. Either side refuses a longer one without reading on. */
export const HELLO_MAX_BYTES = 16 * KIB
/** From the connection to the end of the hello; slow clients are cut off. */
export const HELLO_TIMEOUT_MS = 10_000
/** How long a client waits for the answer to its hello: an engine's exec may have to start the server first. */
export const HELLO_ANSWER_TIMEOUT_MS = 30_000
/** How long a refused client is listened to, so that it can read why. */
export const REFUSAL_LINGER_MS = 1_000
/** Keys of either side in a hello, besides the first: more kinds than there are. */
export const HELLO_KEYS_MAX = 8
/** What is left of a command or message, and of a list of pids, that makes a hello too long. */
export const HELLO_TEXT_CHARACTERS = 1_500
export const HELLO_PIDS = 100
/** From the hello to a successful authentication (sshd_config(5) LoginGraceTime is 120 s, for people who type). */
export const LOGIN_GRACE_MS = 20_000
/** Failed authentication requests on one connection (sshd_config(5) MaxAuthTries: 6). */
export const MAX_AUTH_TRIES = 6
/** Connections that have not authenticated yet; one more is told 'busy' (sshd_config(5) MaxStartups). */
export const MAX_STARTUPS = 100
/** SSH connections into one job at a time; `--max-sessions` of the starter. */
export const MAX_SESSIONS = 256
/** Sessions open at a time on one connection. Editors open dozens (sshd_config(5) MaxSessions is 10). */
export const MAX_CHANNELS = 256
/** Forwarded connections at a time on one connection, besides those: a browser, or a cluster of workers, has many. */
export const MAX_FORWARDED_CHANNELS = 2_048
/** Variables that a client may set on one channel, the size of one of them, name included, and of all of them. */
export const MAX_ENV_VARIABLES = 1_000
export const MAX_ENV_BYTES = 128 * KIB
export const MAX_ENV_TOTAL_BYTES = MIB
/** The longest command: MAX_ARG_STRLEN of the kernel, execve(2). */
export const MAX_COMMAND_BYTES = 128 * KIB - 1
/** Global requests that wait for the answer to one before them (`ssh -R …` sends all of its own at once). */
export const MAX_WAITING_GLOBAL_REQUESTS = 1_024
/** Requests on one channel that wait for the answer to one before them: all variables, and what else there is; of many
 *  channels each has less, see CHANNELS_BUDGET. */
export const WAITING_REQUESTS_MAX = MAX_ENV_VARIABLES + 100
export const WAITING_REQUESTS_MAX_BYTES = 2 * MAX_ENV_TOTAL_BYTES

/** A configuration of sshd with all that it includes, how deeply files may include each other, and a file of keys. */
export const SSHD_CONFIG_MAX_BYTES = 4 * MIB
export const SSHD_INCLUDE_DEPTH = 16
export const AUTHORIZED_KEYS_MAX_BYTES = 16 * MIB
/** What is read of a private host key: one of RSA with 16,384 bits has 13 KiB. */
export const HOST_KEY_MAX_BYTES = 64 * KIB
/** The longest banner that a client is shown before it authenticates, and the longest greeting. */
export const BANNER_MAX_BYTES = MIB

/** The length of an RSA key that `sshjob-keygen` makes, and what may be asked for: those of ssh-keygen(1). */
export const RSA_BITS_DEFAULT = 3_072
export const RSA_BITS_MIN = 1_024
export const RSA_BITS_MAX = 16_384

/** What one client may listen on in the job at a time: `tcpip-forward` and `streamlocal-forward`. */
export const MAX_FORWARD_LISTENERS = 256
/** How long a connection that a client asks for may take to be made. The kernel would try for two minutes, tcp(7). */
export const FORWARD_CONNECT_TIMEOUT_MS = 30_000
/** How long one of several addresses of a host may take before the next is tried. */
export const FORWARD_ADDRESS_TIMEOUT_MS = 2_000
/** Once a forwarded channel is closed: how long its socket may take nothing of what is left for it. */
export const FORWARD_DRAIN_MS = 10_000
/** Display n of X11 listens on this port and n: X(7). */
export const X11_FIRST_PORT = 6_000
/** Displays for X11 begin at this number (sshd_config(5) X11DisplayOffset), and so many are tried. */
export const X11_DISPLAY_OFFSET = 10
export const X11_DISPLAYS = 1_000
/** The longest cookie and name of an authorisation that x11-req, or a program, may bring; MIT-MAGIC-COOKIE-1 has 16 bytes. */
export const X11_AUTHORITY_MAX_BYTES = 1_024
/** How long a program of X11 that has connected through us may take to say its cookie. */
export const X11_SETUP_TIMEOUT_MS = 30_000
/** How long an untrusted cookie is good for while nobody uses it, in seconds (ssh_config(5) ForwardX11Timeout), and when
 *  another one is made, so that it never is too late. */
export const X11_UNTRUSTED_S = 1_200
export const X11_UNTRUSTED_RENEWAL_MS = 600_000
/** How long xauth(1) may take to be given one: it connects to the display. */
export const XAUTH_TIMEOUT_MS = 15_000
/** What a client of the SOCKS server may say before its connection is made, and how long it may take. */
export const SOCKS_MAX_BYTES = 2 * KIB
export const SOCKS_TIMEOUT_MS = 30_000

/**
 * What the channels of one connection, and those of all, may hold of what was received and not read yet. Each has an
 * equal part, which is the most that its window may be; what it begins with is a fourth of that.
 */
export const CHANNELS_BUDGET = { connection: 32 * MIB, process: 256 * MIB }
export const WINDOW_INITIAL_SHARE = 4
/** What a channel keeps of its output before its writer waits: at most this, and a fourth of its part as well. */
export const CHANNEL_OUTPUT_MAX = 256 * KIB
/** The receive window of a new channel (RFC 4254 §5.2), as OpenSSH has it, while there are few. */
export const WINDOW_INITIAL = 2 * MIB
/** What the window of a channel grows to on a long path, while its reader keeps up: 160 MB/s at 100 ms. */
export const WINDOW_MAX = 16 * MIB
/** The largest payload that we ask the peer to send in one packet (RFC 4253 §6.1 guarantees 32 KiB). */
export const PACKET_MAX = 32 * KIB
/** The longest packet that is taken, as OpenSSH's packet.c has it; scripts/mend-ssh2.mjs makes ssh2 take it. */
export const PACKET_RECEIVED_MAX = 256 * KIB
/** Key re-exchange after this many bytes in either direction, or this much time (RFC 4253 §9). */
export const REKEY_BYTES = 1024 * MIB
export const REKEY_MS = 60 * 60_000
/** Keys are exchanged once more after so much where a faster cipher is at hand; an exchange takes as long as that gains. */
export const CIPHER_CHANGE_BYTES = 8 * MIB
/** How long the peer may take to finish a key exchange. */
export const KEX_TIMEOUT_MS = 60_000

/** What a connection may send, and take in, in one turn of the event loop: after that, the others have theirs. */
export const TURN_BYTES = 64 * KIB
/** What a packet counts for besides its bytes: one of a single byte takes a processor about as long as this many. */
export const PACKET_COST = 4 * KIB
/** A peer's bytes are taken in by pieces of this size, since all packets of a piece are handled in one go. */
export const TURN_PIECE_BYTES = 16 * KIB
/** Bytes waiting in the stream past which channels hold their data back … */
export const TRANSPORT_BUFFER = 256 * KIB
/** … and past which nothing more is read from a peer that asks and doesn't take the answers. */
export const TRANSPORT_BUFFER_MAX = 4 * MIB
/** Large packets whose memory is kept for the next ones, in the whole process: as many as fill TRANSPORT_BUFFER four times. */
export const PACKETS_KEPT = 32
/** Messages that wait for the end of a key exchange; more is an attack. */
export const KEX_QUEUE_MAX_PACKETS = 4_096
/** How long a closing connection may take to let out its last bytes. */
export const CLOSE_TIMEOUT_MS = 2_000

/** How often a starter with connections looks whether it has memory to give back; it has worked for less than this part
 *  of the time since, and has so much more than after the last time. */
export const MEMORY_LOOK_MS = 5_000
export const MEMORY_IDLE_SHARE = 1 / 20
export const MEMORY_SPARE_BYTES = 16 * MIB
/** It has done so much since, in milliseconds of a processor, or somebody has gone: only then is there anything new to find. */
export const MEMORY_WORK_MS = 50

/** Between SIGTERM and SIGKILL for the processes of a session whose client has gone. */
export const SESSION_KILL_DELAY_MS = 2_000
/** `exec(…).output()` collects this much of each of stdout and stderr, and fails past it. */
export const OUTPUT_LIMIT = 16 * MIB
/** How long `sshjob` waits between tries with `--wait`. */
export const RETRY_INTERVAL_MS = 500
/** How long `sshjob open` waits for a port of the job to answer, unless --wait says otherwise: a notebook may take its time. */
export const OPEN_WAIT_MS = 60_000
/** How long `sshjob demo` waits for its job, and for its end before it kills the starter. */
export const DEMO_START_TIMEOUT_MS = 10_000
export const DEMO_KILL_DELAY_MS = 5_000

/** sun_path of unix(7) has 108 bytes, one of them for the end of the string. */
export const SOCKET_PATH_MAX_BYTES = 107
/** How long connecting goes on trying while a starter has more connections waiting than the kernel keeps for it. */
export const CONNECT_BUSY_MS = 2_000
/** What each direction of a stream within the process, or over pipes, holds before its writer waits. */
export const STREAM_BUFFER = 64 * KIB
/** How long a command whose output has ended may take to exit, before that end counts as one direction's alone. */
export const COMMAND_EXIT_GRACE_MS = 250
/** Between SIGTERM and SIGKILL for a command whose stream is gone. */
export const COMMAND_KILL_DELAY_MS = 2_000
/** What is kept of a command's stderr for the sentence that says why it failed: its last bytes. */
export const COMMAND_STDERR_BYTES = 4 * KIB

/** How long a directory that may hold sockets may take to be looked at: its file system may hang. */
export const DIRECTORY_LOOK_MS = 2_000
/** Between two times that a starter says its socket is in use: systemd-tmpfiles(8) removes what is 10 days old in /tmp. */
export const SOCKET_TOUCH_MS = 12 * 60 * 60_000
/** How long `sshjob ls` waits for a starter to say what it serves. */
export const LIST_TIMEOUT_MS = 3_000
/**
 * A host key is of use until the client has checked it, a moment after the proxy has written it down. For so long its
 * lines stay in OpenSSH's known_hosts for jobs, and as long as there are not so many newer sessions' and as many others.
 */
export const KNOWN_HOSTS_AGE_MS = 5_000
export const KNOWN_HOSTS_KEPT = 16
/** Past this size the older ones go in any case. */
export const KNOWN_HOSTS_MAX_BYTES = 128 * KIB
/** How long ssh may take to say whether it knows an option. */
export const SSH_ASK_TIMEOUT_MS = 5_000
/** A claim on a file that is older belongs to a process that was killed while it held it, for milliseconds. */
export const CLAIM_MAX_AGE_MS = 10_000
/** How long the end of the job waits for sessions to end, once they were told. */
export const SESSIONS_END_TIMEOUT_MS = 10_000

/** Once a terminal's program has ended and others still hold the terminal, output that is quiet this long is over. */
export const TERMINAL_QUIET_MS = 100
/** How many such times a background process that is not quiet can keep the output open. */
export const TERMINAL_QUIET_ROUNDS = 5
/** What is read after the program's end at most: more than the kernel keeps for a terminal (640 KiB, tty_buffer.c). */
export const TERMINAL_TAIL_MAX = MIB
/** The longest pause between two tries to hand keystrokes to a terminal that takes no more. */
export const TERMINAL_RETRY_MAX_MS = 50
/** How long a session's start waits for the file system of its directory or shell: an automount takes a second or two. */
export const PATH_LOOK_TIMEOUT_MS = 3_000
/** How many such looks may be without an answer before no other is begun; of few threads, half. */
export const PATH_LOOKS_MAX = 4
/** How long a command's output may take to be out before its exit status goes first: a background process may hold it. */
export const EXIT_STATUS_DELAY_MS = 100
/** Between two looks whether a child has ended, in a thread or a test runner that gets no SIGCHLD. */
export const CHILD_LOOK_MS = 50
/** What posix_spawn(3), and other threads meanwhile, may open beside what is open: below the child's limit while that is ours. */
export const SPAWN_SPARE_DESCRIPTORS = 64
/** How many processes of a job are told to clients, outermost first: they must fit into the hello. */
export const JOB_PIDS_MAX = 256
/** The longest pause between two looks at what is left of a session that was ended. */
export const SESSION_LOOK_MAX_MS = 250

/** libuv's threads for calls of files and names: its own number, and, where nothing forbids more, that of a program that
 *  serves several connections, and of one that serves nothing but files. */
export const THREADS_DEFAULT = 4
export const THREADS_SERVING = 20
export const THREADS_FOR_FILES = 32
/** Processes that there must be room for, or the threads stay at THREADS_DEFAULT. */
export const THREADS_ROOM = 1_000
/** How many of them one connection may use for files at a time: as many as libuv has without being asked. */
export const THREADS_FOR_FILES_EACH = 4
/** How many name look-ups one connection, and all of them, may have under way. */
export const NAME_LOOKUPS_EACH = 2
export const NAME_LOOKUPS_MAX = 4
/** How long it is taken for known what is mounted where. */
export const MOUNTS_MAX_AGE_MS = 10_000
/** A call of a file that takes longer keeps its connection to one more at a time, and its file system is asked whether
 *  it answers at all. */
export const FILE_SLOW_MS = 3_000
/** Once a file system has not answered for this long, whoever waits for it is told. */
export const FILE_GIVE_UP_MS = 30_000

/** A starter starts the process that serves files so long after its job: 30 ms of a processor and 8 MB of memory. */
export const FILE_SERVER_BEGIN_MS = 1_000
/** How long it may take to start, and after how long it is tried again where it could not be. */
export const FILE_SERVER_START_MS = 10_000
export const FILE_SERVER_RETRY_MS = 60_000
/** Once the last files have been closed for so long, a new process takes its place. */
export const FILE_SERVER_IDLE_MS = 10_000

/** The longest SFTP packet, and the most that one READ gives or one WRITE takes, as sftp-server(8) has them. */
export const SFTP_PACKET_MAX = 256 * KIB
export const SFTP_DATA_MAX = 255 * KIB
/** Files and folders open at a time on one SFTP channel. */
export const SFTP_HANDLES_MAX = 1_000
/** Bytes of requests and answers in work on one SFTP channel; past it, requests wait and the peer's window closes. */
export const SFTP_PENDING_BYTES = 4 * MIB
/** What all SFTP channels of one connection, and of all connections, have of that: each an equal part. */
export const SFTP_BUDGET = { connection: 16 * MIB, process: 64 * MIB }
/** What a request counts for at least in that sum. */
export const SFTP_REQUEST_COST = 1 * KIB
/** Entries of a folder in one answer: with the longest names they stay below SFTP_PACKET_MAX. */
export const SFTP_READDIR_ENTRIES = 256
/** One step of copy-data@openssh.com. */
export const SFTP_COPY_BYTES = 256 * KIB
/** Symbolic links in one path: MAXSYMLINKS of the kernel, path_resolution(7). */
export const SYMLINKS_MAX = 40
/** The longest path, PATH_MAX of the kernel without its zero byte. */
export const PATH_MAX_BYTES = 4_095
/** Bytes that a transfer has asked for, or sent, without an answer: fills 1 Gbit/s at a round trip of 100 ms. */
export const SFTP_WINDOW_BYTES = 16 * MIB
/** What a READ or WRITE carries where the server does not say what it takes: every server takes this, §6.4. */
export const SFTP_DATA_DEFAULT = 32 * KIB
/** The longest answer that the client takes. */
export const SFTP_ANSWER_MAX = MIB
/** `readFile()` reads this much and fails past it. */
export const READ_FILE_LIMIT = 64 * MIB
/** Files that `sshjob cp` copies at a time: small ones cost round trips, not bytes. */
export const COPY_FILES_AT_ONCE = 8
/** How long `sshjob cp` may take to leave off once a signal has asked for it. */
export const COPY_INTERRUPT_MS = 2_000
/** Between two changes of the progress line. */
export const PROGRESS_INTERVAL_MS = 100

/** How long a tool of HTCondor's may take to answer, and how much of its answer is read. */
export const HTCONDOR_TOOL_TIMEOUT_MS = 15_000
export const HTCONDOR_ANSWER_MAX_BYTES = 64 * MIB
/** The description that a job has of itself in its scratch folder; some have kilobytes of environment. */
export const JOB_AD_MAX_BYTES = 4 * MIB
/** How long condor_ssh_to_job may take to reach the job: a schedd that is busy lets it wait. */
export const HTCONDOR_OPEN_TIMEOUT_MS = 120_000
/** How long after a parallel job has begun to run a node that can't be entered may still be starting. */
export const HTCONDOR_NODE_START_MS = 30_000
/** How long condor_ssh_to_job may take to tidy up once the session is over. */
export const HTCONDOR_CLOSE_TIMEOUT_MS = 5_000
/** Between two looks at a job that an engine has not started: at first, and at most, growing by a quarter each time. */
export const ENGINE_RETRY_MIN_MS = 2_000
export const ENGINE_RETRY_MAX_MS = 30_000

/**
 * What Node.js and sessions need of a job's limits, below which the job is run without them: address space (Node.js 24
 * starts at 1.2 GB and peaks at 1.6 GB), writable memory (0.7 GB), open files and threads (57 and 11 with 8 sessions).
 */
export const NODE_ADDRESS_SPACE_MIN = 2_000_000 * KIB
export const NODE_DATA_MIN = 1_000_000 * KIB
export const NODE_FILES_MIN = 64
export const NODE_PROCESSES_MIN = 64
/** How long the server may take from its start to that of the job, before the job is started without it. */
export const NODE_START_DEADLINE_SECONDS = 30
/** An environment in hexadecimal digits that still goes into one variable: MAX_ARG_STRLEN of the kernel, execve(2). */
export const ENVIRONMENT_TEXT_MAX = 120_000
/** How long opening a socket for the job's sessions, or its log, may take before the job is started without it. */
export const DOOR_TIMEOUT_MS = 5_000
/** How many names beside the one that is taken are tried: ID-2, ID-3, … */
export const JOB_ID_TRIES = 1_000

/** How far apart a signal for all processes of a job may reach its wrapper and its server: some send to one after another. */
export const SIGNAL_GRACE_MS = 100
/** How long the server remembers what it has heard: on a busy machine the wrapper's shell tells of the same signal later. */
export const SIGNAL_MEMORY_MS = 2_000
/** Signals of one number that the wrapper got within this are one: to the process and to its group, as timeout(1) sends them. */
export const SIGNAL_MERGE_MS = 10
/** Between two looks at whether a wrapper is gone that has closed its pipes. */
export const WRAPPER_LOOK_MS = 20
/** How often a wrapper whose shell does not notice all signals is woken. */
export const WAKE_MS = 1_000
/** Between two looks at whether the wrapper or the job was stopped by a signal to it alone. */
export const STOP_LOOK_MS = 1_000
/** How long one of them must have been stopped, and the other not, before that one is stopped as well. */
export const STOP_SETTLE_MS = 20

/** What of the server's log may wait to be written while nobody takes it, and how long the end waits for that. */
export const LOG_QUEUE_BYTES = 256 * KIB
export const LOG_FLUSH_MS = 1_000
/** Between two tries to write where a pipe is full. */
export const LOG_RETRY_MS = 50

/** How long a key that completes a word may wait for jobs, and for one job; what has not answered is left out. */
export const COMPLETION_TIMEOUT_MS = 2_000
/** Links of a folder of the job that are looked at, whether they lead to folders. */
export const COMPLETION_LINKS = 50
