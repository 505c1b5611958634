/**
 * Every limit of the project, by name. Times are milliseconds and sizes are bytes unless the name says otherwise.
 */

const KIB = 1024
const MIB = 1024 * KIB

/** The longest hello, its line end included. Either side refuses a longer one without reading on. */
export const HELLO_MAX_BYTES = 16 * KIB
/** From the connection to the end of the hello; slow clients are cut off. */
export const HELLO_TIMEOUT_MS = 10_000
/** From the hello to a successful authentication (sshd_config(5) LoginGraceTime is 120 s, for people who type). */
export const LOGIN_GRACE_MS = 20_000
/** Failed authentication requests on one connection (sshd_config(5) MaxAuthTries: 6). */
export const MAX_AUTH_TRIES = 6
/** Connections that have not authenticated yet; one more is told 'busy' (sshd_config(5) MaxStartups). */
export const MAX_STARTUPS = 100
/** SSH connections into one job at a time; `--max-sessions` of the starter. */
export const MAX_SESSIONS = 256
/** Channels open at a time on one connection. Editors open dozens (sshd_config(5) MaxSessions is 10). */
export const MAX_CHANNELS = 256
/** Variables that a client may set on one channel, and the size of one of them, name included. */
export const MAX_ENV_VARIABLES = 1_000
export const MAX_ENV_BYTES = 128 * KIB
/** The longest command: MAX_ARG_STRLEN of the kernel, execve(2). */
export const MAX_COMMAND_BYTES = 128 * KIB - 1

/** The receive window of a new channel (RFC 4254 §5.2), as OpenSSH has it. */
export const WINDOW_INITIAL = 2 * MIB
/** What the window of a channel grows to while its reader keeps up: 160 MB/s at a round trip of 100 ms. */
export const WINDOW_MAX = 16 * MIB
/** The largest payload that we ask the peer to send in one packet (RFC 4253 §6.1 guarantees 32 KiB). */
export const PACKET_MAX = 32 * KIB
/** Key re-exchange after this many bytes in either direction, or this much time (RFC 4253 §9). */
export const REKEY_BYTES = 1024 * MIB
export const REKEY_MS = 60 * 60_000
/** How long the peer may take to finish a key exchange. */
export const KEX_TIMEOUT_MS = 60_000
/** A quiet peer is asked for a sign of life this often, and given up after so many without an answer. */
export const KEEPALIVE_INTERVAL_MS = 15_000
export const KEEPALIVE_COUNT = 3

/** Between SIGTERM and SIGKILL for the processes of a session whose client has gone. */
export const SESSION_KILL_DELAY_MS = 2_000
/** `exec(…).output()` collects this much of each of stdout and stderr, and fails past it. */
export const OUTPUT_LIMIT = 16 * MIB
/** How long `sshjob` waits between tries with `--wait`. */
export const RETRY_INTERVAL_MS = 500
