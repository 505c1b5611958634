import { refusalOf } from '../permissions/refusal.js'
import type { Rules, Subsystem } from './rules.js'

/** What a client asks for: RFC 4254 §6.5. */
export type Asked =
  | { kind: 'shell' }
  | { kind: 'exec'; command: Buffer }
  | { kind: 'subsystem'; name: string }

export type Run =
  /** A command, or a shell without one; `original` is what the client asked for where something else runs. */
  | { kind: 'command'; command: Buffer | undefined; original: Buffer | undefined }
  | { kind: 'files'; directory: string | undefined }
  /** The sentence that says so, because nothing but files is served here. */
  | { kind: 'files-only' }
  /** With a sentence, where there is more to say than that there is no such thing. */
  | { kind: 'refused'; reason: string | undefined }

/** What sshd_config(5) calls a server of files that is in the server itself. */
const INTERNAL_SFTP = 'internal-sftp'

const OWN_SUBSYSTEMS: Readonly<Record<string, Subsystem>> = { sftp: { kind: 'files' } }

/** What the rules make of what a client asks for. */
export function whatRuns(rules: Rules, asked: Asked): Run {
  if (asked.kind === 'subsystem') return subsystemRuns(rules, asked.name)
  const reason = refusalOf(rules.permissions, asked)
  if (reason !== undefined) return { kind: 'refused', reason }
  const command = asked.kind === 'exec' ? asked.command : undefined
  if (rules.forced === undefined) return { kind: 'command', command, original: undefined }
  if (rules.forced.kind === 'files') return { kind: 'files-only' }
  return { kind: 'command', command: Buffer.from(rules.forced.command), original: command }
}

function subsystemRuns({ permissions, forced, subsystems = OWN_SUBSYSTEMS }: Rules, name: string): Run {
  const asked = Object.hasOwn(subsystems, name) ? subsystems[name] : undefined
  if (asked === undefined) return { kind: 'refused', reason: undefined }
  const reason = refusalOf(permissions, { kind: name === 'sftp' ? name : 'exec' })
  if (reason !== undefined) return { kind: 'refused', reason }
  const run = forced ?? asked
  if (run.kind === 'files') return { kind: 'files', directory: run.directory }
  const original = Buffer.from(asked.kind === 'files' ? INTERNAL_SFTP : asked.command)
  return {
    kind: 'command',
    command: Buffer.from(run.command),
    original: forced === undefined ? undefined : original,
  }
}
