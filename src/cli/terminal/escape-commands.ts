import type { JobConnection, RemoteProcess } from '../../client/types.js'
import { messageOf } from '../../core/errors.js'
import { say } from '../report.js'
import { MAX_VERBOSITY, type VerboseLog } from '../verbose-log.js'
import { describeEscape, type EscapeCommand, escapeHelp } from './escapes.js'
import type { LocalTerminal } from './local-terminal.js'

/** The length of the break that ~B sends, in milliseconds: that of ssh(1). */
const BREAK_MS = 1_000

export interface EscapeContext {
  character: number
  connection: JobConnection
  remote: RemoteProcess
  terminal: LocalTerminal
  verbose: VerboseLog
  /** A line about each of the forwardings. */
  forwarded: readonly string[]
  /** Ends the session. */
  disconnect: () => void
}

/** Gives the function that does what an escape asks for, and says on the screen what it did. */
export function createEscapeCommands(context: EscapeContext): (command: EscapeCommand) => void {
  const { connection, remote, terminal, verbose } = context
  const echo = (text: string): void => say(`${describeEscape(context.character)}${text}`)

  const listed = context.forwarded.length > 0 ? context.forwarded : ['nothing']
  const breakTerminal = async (): Promise<void> => {
    const done = await remote.sendBreak(BREAK_MS)
    if (!done) say('sshjob: The server can not send a break to this terminal.')
  }
  const changeVerbosity = (key: string, by: number): void => {
    verbose.change(by)
    echo(`${key} [verbosity ${verbose.verbosity()} of ${MAX_VERBOSITY}]`)
  }

  const commands: Record<EscapeCommand, () => void> = {
    disconnect: () => {
      echo('.')
      context.disconnect()
    },
    suspend: () => {
      echo('^Z [suspend sshjob]')
      terminal.suspend()
    },
    help: () => say(escapeHelp(context.character)),
    list: () =>
      echo(['# This session is the only one of its connection. Forwarded:', ...listed].join('\n  ')),
    break: () => {
      echo('B')
      breakTerminal().catch((error: unknown) => say(`sshjob: The break was not sent: ${messageOf(error)}`))
    },
    rekey: () => {
      echo('R')
      connection.rekey()
    },
    background: () => echo('& is not supported: a session with -N stays for its forwardings.'),
    'command-line': () => echo('C is not supported: forwardings are given with -L, -R and -D at the start.'),
    louder: () => changeVerbosity('v', 1),
    quieter: () => changeVerbosity('V', -1),
  }
  return (command) => commands[command]()
}
