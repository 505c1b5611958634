import type net from 'node:net'
import { messageOf, SshjobError } from '../../core/errors.js'
import type { Logger } from '../../core/log.js'
import { hasRoom } from '../../core/thread-pool.js'
import type { JobSocket } from '../../engines/local/job-socket.js'
import type { ProcessEnd } from '../../job/job.js'
import { type LaunchedJob, type LaunchJobOptions, launchJob } from '../../job/launch-job.js'
import { FileServer } from '../../process/file-server.js'
import { MemoryKeeper } from '../../process/memory-keeper.js'
import { unixServer } from '../../sockets/unix.js'
import { FXP, makePacket, SFTP_VERSION } from '../../ssh/sftp-protocol.js'
import { string, uint32 } from '../../ssh/wire.js'
import { acceptFrom } from '../../starter/accept-from.js'
import { jobEnded } from '../../starter/job-end.js'
import { type Starter, startStarter } from '../../starter/starter.js'
import { argumentBytes } from '../arguments/command-line.js'
import { filesCommand } from '../programs.js'
import { announce } from './announce.js'
import type { ErrorOutput } from './error-output.js'
import type { JobHost } from './job-host.js'
import { type Door, openDoor, waitForDoor } from './open-door.js'
import type { Settings } from './settings.js'

/**
 * Runs the command as a job, serves sessions into it, and tells how it ended. The job comes first: where no session can
 * enter it, it runs all the same, unless the settings want it the other way.
 * @throws SshjobError if the job could not be started; afterwards, whatever goes wrong with serving it is logged
 */
export async function runJob(
  settings: Settings,
  host: JobHost,
  { log, errors }: { log: Logger; errors: ErrorOutput },
): Promise<ProcessEnd> {
  const { maxSessions, serveOptions, quiet } = settings
  const fileService = hasRoom() ? fileServer(log) : undefined
  const server = unixServer()
  // Before the socket has its name: a client may find that in the same instant.
  const memory = new MemoryKeeper()
  server.on('connection', (socket) => socket.once('close', memory.begin()))
  const starter = startStarter({ maxSessions, serveOptions, log })
  acceptFrom(server, starter, { path: 'unix' }, log)
  const entrance = new Entrance(settings, server, log)
  try {
    // Before the job: whoever sees that it runs can enter it.
    const id = await entrance.open()
    const launched = await launch(settings, { id, ...(fileService && { fileService }) }, host, starter)
    log.info({ job: id, socket: entrance.path }, 'job started')
    fileService?.prepare()
    const { listen, isOpen } = entrance
    if (!quiet && isOpen) announce({ id, user: launched.job.user, listen }, errors)
    entrance.remember(launched.pid)
    return await attend({ ...settings, jobId: id }, launched, starter, host, log)
  } finally {
    await entrance.close()
  }
}

function fileServer(log: Logger): FileServer {
  const rehearsal = Buffer.concat([
    makePacket(FXP.INIT, uint32(SFTP_VERSION)),
    makePacket(FXP.STAT, uint32(0), string('/')),
  ])
  return new FileServer(filesCommand(), { rehearsal, log })
}

async function launch(
  { command }: Settings,
  options: Pick<LaunchJobOptions, 'id' | 'fileService'>,
  host: JobHost,
  starter: Starter,
): Promise<LaunchedJob> {
  try {
    host.starting()
    const launched = await launchJob(argumentBytes(command), { ...options, ...host.launchOptions })
    starter.begin(launched.job)
    host.started(launched)
    return launched
  } catch (error) {
    const reason =
      error instanceof SshjobError
        ? error
        : new SshjobError('job-failed-to-start', messageOf(error), { cause: error })
    await starter.finish(reason)
    throw reason
  }
}

async function attend(
  { jobId, lingerMs }: Settings,
  launched: LaunchedJob,
  starter: Starter,
  host: JobHost,
  log: Logger,
): Promise<ProcessEnd> {
  const end = await launched.ended
  // There is no job any more to hand signals on to: they end what has outlived it.
  const hurry = host.ended(end)
  const reason = jobEnded(jobId, end)
  log.info({ job: jobId, sessions: starter.sessions }, reason.message)
  await starter.finish(reason, { lingerMs, signal: hurry })
  return end
}

/** The job's socket, which may not be there, or not yet. */
class Entrance {
  readonly #settings: Settings
  readonly #server: net.Server
  readonly #log: Logger
  #socket: JobSocket | undefined
  #closed = false

  constructor(settings: Settings, server: net.Server, log: Logger) {
    this.#settings = settings
    this.#server = server
    this.#log = log
  }

  get path(): string | undefined {
    return this.#socket?.path
  }

  get isOpen(): boolean {
    return this.#socket !== undefined
  }

  /** The path that was asked for, where it could be had; undefined: the job is found by its id. */
  get listen(): string | undefined {
    const { listen } = this.#settings
    return this.path === listen ? listen : undefined
  }

  /** Of use only if we are killed: nothing waits for it, and nothing fails with it. */
  remember(pid: number): void {
    this.#socket
      ?.remember?.(pid)
      .catch((error: unknown) => this.#log.debug({ err: error }, 'what the job is could not be written down'))
  }

  /**
   * Opens it as well as that can be done.
   * @returns what the job is called then
   * @throws SshjobError only if the settings say that a job that can't be entered is not to be run
   */
  async open(): Promise<string> {
    const { jobId, requireSession } = this.#settings
    const opening = openDoor(this.#settings, this.#server)
    opening.catch(() => undefined) // who waits for it is told, and may have stopped waiting
    const door = await waitForDoor(opening)
    if (door === undefined || door instanceof SshjobError) {
      const why = door?.message ?? 'The file system of its socket does not answer.'
      if (requireSession) {
        throw new SshjobError('unreachable', `${why} The job was not started, as --require-session says.`)
      }
      this.#log.warn({ job: jobId }, `${why} The job runs all the same, and can't be entered.`)
      if (door === undefined) void opening.then((late) => this.#use(late)).catch(() => undefined)
      return jobId
    }
    this.#use(door)
    return door.id
  }

  #use(door: Door): void {
    this.#socket = door.socket
    for (const note of door.notes) this.#log.warn({ job: door.id }, note)
    if (this.#closed) void this.close()
  }

  /** The job's status must not be lost because its socket can't be removed. */
  async close(): Promise<void> {
    this.#closed = true
    try {
      await this.#socket?.close()
    } catch (error) {
      this.#log.error({ err: error, socket: this.path }, 'the socket could not be removed')
    }
  }
}
