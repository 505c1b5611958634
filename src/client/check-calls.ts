import {
  type Argument,
  abortSignal,
  absent,
  callback,
  checkedMethods,
  count,
  date,
  duplex,
  either,
  flag,
  integer,
  listOf,
  logger,
  mode,
  name,
  oneOf,
  optional,
  options,
  port,
  readable,
  rejecting,
  required,
  type Schema,
  text,
  textOrBytes,
  throwing,
  uint32,
  valuesOf,
} from '../core/check-options.js'
import type { FileOptions, RemoteFiles, TransferOptions } from './sftp/types.js'
import type {
  ConnectOptions,
  Endpoint,
  ExecOptions,
  ForwardOptions,
  JobConnection,
  ListenAt,
  OpenOptions,
  PtyOptions,
  RemoteProcess,
  ShellOptions,
  SubsystemOptions,
  X11Display,
} from './types.js'

export const CONNECT_OPTIONS: Schema<ConnectOptions> = {
  credentials: options<NonNullable<ConnectOptions['credentials']>>({
    privateKey: required(name),
    hostKey: required(name),
  }),
  username: name,
  signal: abortSignal,
  log: logger,
}

export const CONNECT_CALL: readonly Argument[] = [
  ['stream', duplex],
  optional('options', options(CONNECT_OPTIONS)),
]

const PTY_OPTIONS: Schema<PtyOptions> = {
  columns: uint32,
  rows: uint32,
  width: uint32,
  height: uint32,
  term: text,
  modes: listOf(listOf(uint32)),
}

/** What a command and a shell have in common. */
const SESSION_OPTIONS = {
  env: valuesOf(textOrBytes),
  agent: name,
  x11: options<X11Display>({ display: required(text), authorityFile: name, trusted: flag }),
  signal: abortSignal,
} satisfies Partial<Schema<ExecOptions>>

const EXEC_OPTIONS: Schema<ExecOptions> = {
  ...SESSION_OPTIONS,
  pty: either('true, false or an object', flag, options(PTY_OPTIONS)),
  stdin: either('a stream, a string, bytes or null', oneOf(null), textOrBytes, readable),
}

const SHELL_OPTIONS: Schema<ShellOptions> = { ...SESSION_OPTIONS, ...PTY_OPTIONS, pty: flag }
const SUBSYSTEM_OPTIONS: Schema<SubsystemOptions> = { env: SESSION_OPTIONS.env, signal: abortSignal }

const OPEN_OPTIONS = optional('options', options<OpenOptions>({ signal: abortSignal }))
const FORWARD_OPTIONS = optional('options', options<ForwardOptions>({ onFailure: callback }))
const SOCKET = { path: required(name), host: absent, port: absent }
/** As `to`: port 0 is of a listener alone. */
const TO_PORT = integer(1, 65_535)
/** What has a path is a socket, and what has none is a port. */
const byPath =
  (socket: Argument[1], tcp: Argument[1]): Argument[1] =>
  (value, given) =>
    (typeof value === 'object' && value !== null && 'path' in value && value.path !== undefined
      ? socket
      : tcp)(value, given)
const TO = byPath(
  options<Extract<Endpoint, { path: string }>>(SOCKET),
  options<Extract<Endpoint, { host: string }>>({
    host: required(name),
    port: required(TO_PORT),
    path: absent,
  }),
)
const FROM = byPath(
  options<Extract<ListenAt, { path: string }>>(SOCKET),
  options<Extract<ListenAt, { port: number }>>({ host: name, port: required(port), path: absent }),
)

/** A connection whose calls are checked. */
export function checkConnection(connection: JobConnection): JobConnection {
  return checkedMethods('connection', connection, {
    exec: rejecting(['command', textOrBytes], optional('options', options(EXEC_OPTIONS))),
    shell: rejecting(optional('options', options(SHELL_OPTIONS))),
    subsystem: rejecting(['name', name], optional('options', options(SUBSYSTEM_OPTIONS))),
    openTcp: rejecting(['host', name], ['port', TO_PORT], OPEN_OPTIONS),
    openUnix: rejecting(['path', text], OPEN_OPTIONS),
    forwardLocal: rejecting(['from', FROM], ['to', TO], FORWARD_OPTIONS),
    forwardDynamic: rejecting(['from', FROM], FORWARD_OPTIONS),
    forwardRemote: rejecting(['from', FROM], ['to', TO], FORWARD_OPTIONS),
    forwardRemoteDynamic: rejecting(['from', FROM], FORWARD_OPTIONS),
    rekey: throwing(),
    ping: rejecting(),
    close: rejecting(),
  })
}

/** A process whose calls are checked. */
export function checkProcess(remote: RemoteProcess): RemoteProcess {
  return checkedMethods('process', remote, {
    output: rejecting(optional('options', options<{ limit?: number }>({ limit: count }))),
    resize: throwing([
      'size',
      options<Parameters<RemoteProcess['resize']>[0]>({
        columns: required(uint32),
        rows: required(uint32),
        width: uint32,
        height: uint32,
      }),
    ]),
    sendSignal: throwing(['name', text]),
    sendBreak: rejecting(optional('milliseconds', uint32)),
    close: throwing(),
  })
}

const PATH: Argument = ['path', textOrBytes]
const FILE_SCHEMA: Schema<FileOptions> = { signal: abortSignal }
const FILE_OPTIONS = optional('options', options(FILE_SCHEMA))
const WRITE_OPTIONS = optional('options', options({ ...FILE_SCHEMA, mode }))
const LOCAL: Argument = ['local', textOrBytes]
const REMOTE: Argument = ['remote', textOrBytes]
const TRANSFER_OPTIONS = optional(
  'options',
  options<TransferOptions>({
    ...FILE_SCHEMA,
    onProgress: callback,
    preserve: flag,
    resume: flag,
    followLinks: flag,
  }),
)
const ATTRIBUTES = options<Parameters<RemoteFiles['setAttributes']>[1]>({
  mode,
  accessed: date,
  modified: date,
})
/** Up to the end of a file, whatever it is, may be said as Infinity. */
const END = either('a whole number', oneOf(Number.POSITIVE_INFINITY), integer(0, Number.MAX_SAFE_INTEGER))

/** Files whose calls are checked. */
export function checkFiles(files: RemoteFiles): RemoteFiles {
  return checkedMethods('files', files, {
    readFile: rejecting(PATH, optional('options', options({ ...FILE_SCHEMA, limit: count }))),
    writeFile: rejecting(PATH, ['data', textOrBytes], WRITE_OPTIONS),
    readdir: rejecting(PATH, FILE_OPTIONS),
    stat: rejecting(PATH, FILE_OPTIONS),
    lstat: rejecting(PATH, FILE_OPTIONS),
    mkdir: rejecting(PATH, WRITE_OPTIONS),
    rmdir: rejecting(PATH, FILE_OPTIONS),
    remove: rejecting(PATH, FILE_OPTIONS),
    rename: rejecting(['from', textOrBytes], ['to', textOrBytes], FILE_OPTIONS),
    readlink: rejecting(PATH, FILE_OPTIONS),
    symlink: rejecting(['target', textOrBytes], PATH, FILE_OPTIONS),
    realpath: rejecting(PATH, FILE_OPTIONS),
    setAttributes: rejecting(PATH, ['attributes', ATTRIBUTES], FILE_OPTIONS),
    createReadStream: throwing(
      PATH,
      optional('options', options({ ...FILE_SCHEMA, start: count, end: END })),
    ),
    createWriteStream: throwing(PATH, optional('options', options({ ...FILE_SCHEMA, mode, start: count }))),
    upload: rejecting(LOCAL, REMOTE, TRANSFER_OPTIONS),
    download: rejecting(REMOTE, LOCAL, TRANSFER_OPTIONS),
  })
}
