export { connect } from './client/connect.js'
export type { TreeOptions, TreeProgress, TreeSize } from './client/copy/copy-tree.js'
export { downloadTree, uploadTree } from './client/copy/trees.js'
export type {
  FileEntry,
  FileOptions,
  FileProgress,
  FileStats,
  LocalPath,
  RemoteFiles,
  RemotePath,
  TransferOptions,
} from './client/sftp/types.js'
export type {
  ConnectOptions,
  Endpoint,
  ExecOptions,
  Forwarding,
  ForwardOptions,
  JobConnection,
  ListenAt,
  OpenOptions,
  Output,
  PtyOptions,
  RemoteEnd,
  RemoteProcess,
  ShellOptions,
  SubsystemOptions,
  X11Display,
} from './client/types.js'
export { type ErrorCode, SshjobError } from './core/errors.js'
export type { Logger } from './core/log.js'
export { type ConnectToJobOptions, connectToJob } from './engines/connect-to-job.js'
export type { HtcondorSettings } from './engines/htcondor/settings.js'
export { type ListedJob, type ListJobsOptions, listJobs } from './engines/list-jobs.js'
export type { JobInfo } from './hello/messages.js'
export type { FileCalls } from './job/file-calls.js'
export type {
  ConnectedFrom,
  FileStream,
  JobAddress,
  JobFiles,
  JobInside,
  JobListenAt,
  JobListening,
  ListenOn,
  PrivateDirectory,
} from './job/inside.js'
export type {
  Job,
  JobProcess,
  ProcessEnd,
  ProcessRequest,
  TerminalModes,
  TerminalRequest,
  TerminalSize,
} from './job/job.js'
export type { FileService } from './job/local-inside.js'
export { type LocalJobOptions, localJob } from './job/local-job.js'
export type { SessionObserver, SessionStart } from './server/observer.js'
export type { Served } from './server/types.js'
export { type ServeOptions, serve } from './starter/serve.js'
export { commandStream } from './streams/command.js'
export { streamPair } from './streams/memory.js'
