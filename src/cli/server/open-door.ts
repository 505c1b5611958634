import type net from 'node:net'
import { messageOf, SshjobError } from '../../core/errors.js'
import { DOOR_TIMEOUT_MS, JOB_ID_TRIES } from '../../core/limits.js'
import { waitNoLonger, withinTime } from '../../core/within-time.js'
import { numberedJobId } from '../../engines/local/job-id.js'
import { type JobSocket, listenAt } from '../../engines/local/job-socket.js'
import { listenForJob } from '../../engines/local/local-jobs.js'
import { refuseForeignFile } from '../foreign-file.js'
import type { Settings } from './settings.js'

/** Where sessions come in. */
export interface Door {
  /** What the job is called: the id that was asked for, or one like it. */
  readonly id: string
  readonly socket: JobSocket
  /** What is not as it was asked for: sentences for people. */
  readonly notes: readonly string[]
}

/**
 * Opens the socket of a job. Where its id is taken, as in an array of jobs that all have the same, it gets a number;
 * where its place can't be had, the next is taken.
 * @throws SshjobError where there is no place for it, with all the reasons
 */
export async function openDoor(
  { jobId, listen, requireSession }: Settings,
  server: net.Server,
): Promise<Door> {
  if (listen === undefined) return openByName(jobId, server)
  try {
    await refuseForeignFile(listen)
    return { id: jobId, socket: await listenAt(listen, server), notes: [] }
  } catch (error) {
    if (requireSession) throw error
    const { notes, ...door } = await openByName(jobId, server)
    // What it proposes to the library's callers is of no use here.
    const isTaken = error instanceof SshjobError && error.code === 'job-exists'
    const why = isTaken ? `Somebody serves a job at ${listen} already.` : messageOf(error)
    return { ...door, notes: [`${why} It is found by its id instead.`, ...notes] }
  }
}

async function openByName(jobId: string, server: net.Server): Promise<Door> {
  for (let number = 1; ; number++) {
    const id = numberedJobId(jobId, number)
    try {
      const socket = await listenForJob(id, { server })
      const taken = `Another job that runs here is called ${jobId}: this one is ${id}.`
      const elsewhere = socket.passedOver.map(
        ({ message }) => `${message} The job's socket is ${socket.path}.`,
      )
      return { id, socket, notes: [...(id === jobId ? [] : [taken]), ...elsewhere] }
    } catch (error) {
      if (!(error instanceof SshjobError && error.code === 'job-exists') || number > JOB_ID_TRIES) throw error
    }
  }
}

/**
 * Waits for the door, but not for longer than the job may be kept waiting for a file system that does not answer.
 * @returns undefined then, or the error that keeps it closed
 */
export async function waitForDoor(opening: Promise<Door>): Promise<Door | SshjobError | undefined> {
  try {
    return await withinTime(opening, DOOR_TIMEOUT_MS, waitNoLonger)
  } catch (error) {
    return error instanceof SshjobError
      ? error
      : new SshjobError('unreachable', `No socket can be opened: ${messageOf(error)}.`, { cause: error })
  }
}
