import type { JobConnection, RemoteProcess } from '../../client/types.js'
import { messageOf } from '../../core/errors.js'
import { runForwardCommand } from '../forwarding/forward-command.js'
import type { Forwardings } from '../forwarding/forwardings.js'
import { printable, say } from '../output/report.js'
import { MAX_VERBOSITY, type VerboseLog } from '../output/verbose-log.js'
import type { KeyReader } from '../session/session-streams.js'
import { describeEscape, type EscapeCommand, escapeHelp } from './escapes.js'
import { createLineEditor } from './line-editor.js'
import type { LocalTerminal } from './local-terminal.js'

/** The length of the break that ~B sends, in milliseconds: that of ssh(1). */
const BREAK_MS = 1_000

export interface EscapeContext {
  character: number
  connection: JobConnection
  remote: RemoteProcess
  terminal: LocalTerminal
  verbose: VerboseLog
  forwardings: () => Promise<Forwardings>
  /** Ends the session. */
  disconnect: () => void
}

/**
 * Gives the function that does what an escape asks for, and says on the screen what it did. It returns what takes the
 * keys for a while, if something does.
 */
export function createEscapeCommands(
  context: EscapeContext,
): (command: EscapeCommand) => KeyReader | undefined {
  const { connection, remote, terminal, verbose } = context
  const echo = (text: string): void => say(`${describeEscape(context.character)}${text}`)

  const list = async (): Promise<void> => {
    const lines = (await context.forwardings()).list()
    const listed = lines.length > 0 ? lines : ['nothing']
    echo(['# This session is the only one of its connection. Forwarded:', ...listed].join('\n  '))
  }
  const editor = createLineEditor(process.stderr.isTTY ? process.stderr : process.stdout)
  const readCommand = (): KeyReader => {
    // What the job writes meanwhile would be in the middle of the line.
    remote.stdout.pause()
    const reader = editor.read('\r\nsshjob> ')
    const run = async (): Promise<void> => {
      const line = await reader.line
      const said = await runForwardCommand(line, context.forwardings)
      if (said !== '') say(said)
    }
    const done = run()
      .catch((error: unknown) => say(`sshjob: ${printable(messageOf(error))}`))
      .finally(() => remote.stdout.resume())
    return { push: reader.push, done }
  }
  const breakTerminal = async (): Promise<void> => {
    const done = await remote.sendBreak(BREAK_MS)
    if (!done) say('sshjob: The server can not send a break to this terminal.')
  }
  const changeVerbosity = (key: string, by: number): void => {
    verbose.change(by)
    echo(`${key} [verbosity ${verbose.verbosity()} of ${MAX_VERBOSITY}]`)
  }

  const commands: Record<Exclude<EscapeCommand, 'command-line'>, () => void> = {
    disconnect: () => {
      echo('.')
      context.disconnect()
    },
    suspend: () => {
      echo('^Z [suspend sshjob]')
      terminal.suspend()
    },
    help: () => say(escapeHelp(context.character)),
    list: () => {
      list().catch((error: unknown) => say(`sshjob: ${printable(messageOf(error))}`))
    },
    break: () => {
      echo('B')
      breakTerminal().catch((error: unknown) =>
        say(`sshjob: The break was not sent: ${printable(messageOf(error))}`),
      )
    },
    rekey: () => {
      echo('R')
      connection.rekey()
    },
    background: () => echo('& is not supported: a session with -N stays for its forwardings.'),
    louder: () => changeVerbosity('v', 1),
    quieter: () => changeVerbosity('V', -1),
  }
  return (command) => {
    if (command === 'command-line') return readCommand()
    commands[command]()
    return undefined
  }
}
