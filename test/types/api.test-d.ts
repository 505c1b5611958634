// Compiled by `npm run typecheck`, never run: what the public API's types accept, and what they refuse.
import type { Duplex, Readable, Writable } from 'node:stream'
import {
  type ConnectOptions,
  connect,
  connectToJob,
  downloadTree,
  type Endpoint,
  type ErrorCode,
  type FileEntry,
  type FileProgress,
  type Forwarding,
  type Job,
  type JobConnection,
  type JobInfo,
  type JobInside,
  type ListedJob,
  type Logger,
  listJobs,
  localJob,
  type Output,
  type RemoteEnd,
  type RemoteProcess,
  type Served,
  type SessionObserver,
  SshjobError,
  serve,
  streamPair,
  type TreeProgress,
  uploadTree,
  type X11Display,
} from '../../src/index.js'

declare const stream: Duplex
declare const log: Logger

export async function embedsAServer(): Promise<SshjobError | undefined> {
  const job: Job = localJob({ id: 'train', command: ['python3', 'train.py'], pids: () => [process.pid] })
  const served: Served = serve(stream, job, { motd: false, idleTimeoutMs: 1000, shells: ['zsh'], log })
  const seen: boolean = served.authenticated
  const channels: number = served.channels
  await served.end(new SshjobError('job-ended', `${seen} ${channels}`))
  return served.closed
}

export async function runsCommands(signal: AbortSignal): Promise<Output> {
  const options: ConnectOptions = { signal, log, username: 'job' }
  await using connection: JobConnection = await connectToJob('train', options)
  const info: JobInfo | undefined = connection.job
  await connectToJob('htcondor:1138.0', { htcondor: { name: 'ap1', shells: '/bin/bash' }, signal })
  await connectToJob('train', {
    waitMs: Number.POSITIVE_INFINITY,
    onWait: ({ retry }: SshjobError) => log.info({ retry }, 'waiting'),
  })
  // @ts-expect-error: a setting that HTCondor has not
  await connectToJob('htcondor:1138.0', { htcondor: { shell: '/bin/bash' } })
  const remote: RemoteProcess = await connection.exec(`echo ${info?.id}`, {
    env: { TEXT: 'a', BYTES: Buffer.of(255) },
    pty: { columns: 80, rows: 24, term: 'xterm' },
    stdin: null,
    signal,
  })
  const ends: [Writable, Readable, Readable] = [remote.stdin, remote.stdout, remote.stderr]
  for (const end of ends) end.destroy()
  await connection.exec(Buffer.from('true'), { pty: false, stdin: 'text' })
  await connection.ping()
  connection.rekey()
  return remote.output({ limit: 1024 })
}

export async function opensAShell(): Promise<number> {
  const [here, there] = streamPair()
  serve(there, localJob({ id: 'a', command: [], pids: () => [] }))
  const connection = await connect(here)
  const shell = await connection.shell({ term: 'xterm', columns: 80, rows: 24 })
  shell.resize({ columns: 100, rows: 30, width: 1000 })
  shell.sendSignal('INT')
  const sftp: RemoteProcess = await connection.subsystem('sftp', { env: { A: 'b' } })
  sftp.close()
  const broken: boolean = await shell.sendBreak(100)
  const end: RemoteEnd = await shell.ended
  // Exactly one of the two: the compiler knows which.
  if (end.signal === undefined) return end.exitCode + Number(broken)
  return end.signal.length + end.message.length
}

export async function forwards(agent: string): Promise<Endpoint> {
  const client = await connectToJob('train')
  const tcp: Duplex = await client.openTcp('localhost', 8888, { signal: AbortSignal.timeout(1000) })
  const unix: Duplex = await client.openUnix('/run/app.sock')
  tcp.pipe(unix)
  const onFailure = (error: Error): void => log.warn({ err: error }, 'no connection')
  await using local: Forwarding = await client.forwardLocal(
    { port: 0 },
    { host: 'localhost', port: 80 },
    { onFailure },
  )
  await client.forwardRemote({ path: '/tmp/a.sock' }, { path: '/tmp/b.sock' })
  const socks = await client.forwardDynamic({ host: '127.0.0.1', port: 1080 })
  await socks.close()
  const remote: number = (await client.forwardRemoteDynamic({ port: 0 }, { onFailure })).connections
  const x11: X11Display = { display: ':0', authorityFile: `/run/${remote}` }
  await client.exec('xterm', { x11 })
  await client.exec('git push', { agent })
  await client.shell({ agent })
  serve(stream, localJob({ id: 'a', command: [], pids: () => [] }), {
    forwarding: 'local',
    permitOpen: ['localhost:*'],
    permitListen: [],
  })
  return local.address
}

declare const inside: JobInside
/** A job whose network is elsewhere, and whose files nobody gets. */
export const elsewhere: Job = {
  ...localJob({ id: 'a', command: [] }),
  inside: () => ({
    ...inside,
    files: async () => {
      throw new SshjobError('denied', 'There are none.')
    },
    connect: async (to) =>
      'path' in to ? streamPair()[0] : connect(stream).then((c) => c.openTcp(to.host, 1)),
  }),
}
const observer = (): SessionObserver => ({
  output: (fd, chunk) => log.info({ fd, bytes: chunk.length }, 'output'),
})
serve(stream, elsewhere, { observer })

export async function listsJobs(): Promise<string[]> {
  const jobs: ListedJob[] = await listJobs({
    htcondor: { pool: 'cm' },
    timeoutMs: 1000,
    onFailure: (error) => log.info({}, error.message),
  })
  return jobs.map(
    (job) =>
      `${job.engine} ${job.id} ${job.state} ${job.reason} ${job.host} ${job.pids?.join()} ${job.user} ${job.since} ${job.command.join(' ')}`,
  )
}

export const code = (error: SshjobError): ErrorCode => error.code

declare const connection: JobConnection
declare const job: Job
// @ts-expect-error: a stream is needed, not an address
serve('/run/job.sock', job)
// @ts-expect-error: an option that does not exist
serve(stream, job, { idleTimeout: 10 })
// @ts-expect-error: a command is one line for the shell
connection.exec(['ls', '-l'])
// @ts-expect-error: numbers are no values of variables
connection.exec('ls', { env: { A: 1 } })
// @ts-expect-error: a port alone is no place to connect to
connection.forwardLocal({ port: 0 }, { port: 80 })
// @ts-expect-error: a mode that does not exist
serve(stream, job, { forwarding: 'some' })
// @ts-expect-error: a size has both
connection.shell().then((shell) => shell.resize({ columns: 80 }))
// @ts-expect-error: a code that does not exist
new SshjobError('oops', 'A sentence.')

export async function copiesFiles(connection: JobConnection, signal: AbortSignal): Promise<FileEntry[]> {
  const { files } = connection
  const onProgress = ({ done, total }: FileProgress): number => done / total
  await files.upload('model.pt', 'model.pt', { onProgress, preserve: true, resume: true, signal })
  await files.download(Buffer.of(255), 'copy')
  const onTree = ({ done, total, path }: TreeProgress): string => `${path}: ${done} of ${total}`
  await uploadTree(files, ['src', Buffer.of(255)], 'there', { onProgress: onTree, resume: true, signal })
  await downloadTree(files, 'results', '.', { onFailure: (error) => log.warn({ err: error }, 'left behind') })
  const reader: Readable = files.createReadStream('log', { start: 10 })
  const writer: Writable = files.createWriteStream('log', { mode: 0o600 })
  reader.pipe(writer)
  const text: Buffer = await files.readFile('log', { limit: 1000 })
  await files.writeFile('copy', text)
  // @ts-expect-error a mode is a number
  await files.mkdir('folder', { mode: '755' })
  return files.readdir('.')
}
