import type { Duplex } from 'node:stream'
import { SshjobError } from '../core/errors.js'
import type { FileCalls } from './file-calls.js'

/** The files of a job: where a session's file operations begin, and what does them. */
export interface JobFiles {
  /** The absolute path that relative paths start from. */
  readonly directory: string
  /** What `~` stands for. */
  readonly home: string
  /** The calls of file systems, with the job's own view of them and its rights. */
  readonly calls: FileCalls
  /**
   * Serves them by a process that is there for it, so that a file system which does not answer keeps nothing of this
   * one: gives a stream of SFTP, version 3, and the status that its server ends with; undefined where that can't be had
   * now. Absent: there is no such process.
   */
  serve?(from: Pick<JobFiles, 'directory' | 'home'>): Promise<FileStream | undefined>
}

export interface FileStream {
  stream: Duplex
  ended: Promise<number>
}

/** Where something of the job's listens. */
export type JobAddress = { host: string; port: number } | { path: string }

/** On this machine alone, on every address of it, or on one. */
export type ListenOn = 'loopback' | 'everywhere' | { address: string }

/**
 * What is to be listened on in the job: a port, 0 for any that is free; a unix socket, of its user's alone, in the place
 * of what is there or not; the display of a number, where programs of X11 look for it.
 */
export type JobListenAt =
  | { port: number; on: ListenOn }
  | { path: string; replace?: boolean }
  | { display: number; on: 'loopback' | 'everywhere' }

/** Who has connected, where that has an address. */
export interface ConnectedFrom {
  readonly address: string
  readonly port: number
}

export interface JobListening {
  /** 0 for a unix socket. */
  readonly port: number
  /** The name of the host that programs of the job find it by; '' for a unix socket. */
  readonly host: string
  /** Accepts no more; what was accepted goes on. Resolves when its name is gone, where it has one. */
  close(): Promise<void>
}

/** A directory of the job's user alone. */
export interface PrivateDirectory {
  readonly path: string
  /** Makes a file of the user's alone in it, and gives its path. */
  write(name: string, data: string | Buffer): Promise<string>
  /** Removes it, with all that is in it. */
  remove(): Promise<void>
}

/**
 * What one connection's client reaches of a job beside its processes. Each throws, or rejects with, SshjobError 'denied'
 * and a sentence where the job does not offer it: it is never taken from the host instead.
 */
export interface JobInside {
  files(): JobFiles | Promise<JobFiles>
  /**
   * A connection that may be half-closed: the end of one direction leaves the other open.
   * @throws SshjobError 'unreachable', 'aborted', 'not-answering', 'usage' for a path that is too long
   */
  connect(to: JobAddress, options: { signal: AbortSignal }): Promise<Duplex>
  /** @throws SshjobError 'unreachable' with the system's error as its cause, 'not-answering', 'usage' */
  listen(
    at: JobListenAt,
    onConnection: (stream: Duplex, from: ConnectedFrom | undefined) => void,
  ): Promise<JobListening>
  /**
   * A directory for what one session needs: sockets, and files of these names.
   * @throws SshjobError 'unsafe-directory', 'not-answering'
   */
  temporary(...names: readonly string[]): Promise<PrivateDirectory>
}

/** Refuses everything, with this sentence. */
export function nothingInside(why: string): JobInside {
  const refuse = async (): Promise<never> => {
    throw new SshjobError('denied', why)
  }
  return { files: refuse, connect: refuse, listen: refuse, temporary: refuse }
}
