import type { ErrorCode } from '../core/errors.js'

/** What the server tells a client about the job that it is about to enter. */
export interface JobInfo {
  id: string
  /** The host that the job runs on. */
  host: string
  pids: number[]
  user: string
  /** When the job started: ISO 8601. */
  since: string
  /** Command and arguments, for people. */
  command: string[]
}

/** The client's line. Without a key it is a question: the server answers with the job and closes. */
export interface ClientHello {
  /** The public key that the client will authenticate with: 'ssh-ed25519 AAAA…'. */
  publicKey?: string
  /**
   * Others that it may authenticate with instead, of other kinds: a stock client takes the first that it may use.
   * Naming them, even none, says that more host keys are understood as well. Older servers let in `publicKey` alone.
   */
  morePublicKeys?: string[]
  /** The statement that lets this key in, on the paths that need one. */
  capability?: string
}

export interface Accepted {
  ok: true
  /** The key that the server will present in this session; absent in the answer to a question. */
  hostKey?: string
  /** Others that it presents to a client that can't have that one. To those who asked for them, and not of older servers. */
  moreHostKeys?: string[]
  job: JobInfo
}

export interface Refused {
  ok: false
  code: ErrorCode
  /** One sentence for a person. */
  message: string
  /** Whether trying again makes sense. */
  retry: boolean
}

export type ServerHello = Accepted | Refused
