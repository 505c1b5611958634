import type { TerminalModes, TerminalSize } from '../../job/job.js'
import { readModes } from '../../process/termios.js'
import { ifPossible } from './if-possible.js'
import { enterRawMode, leaveRawMode } from './raw-mode.js'
import { startWatchdog, type Watchdog } from './watchdog.js'
import { terminalSize } from './window-size.js'

/** After this long, a stop signal that was sent to ourselves has been ignored: nobody could continue us. */
const STOP_GRACE_MS = 200

/** The terminal that this program runs in. */
export interface LocalTerminal {
  /** What the remote terminal should begin with. */
  describe(): Promise<{ modes: TerminalModes; size: TerminalSize }>
  /** Calls back on every change of the size. */
  onResize(listener: (size: TerminalSize) => void): void
  /** Raw mode on; input that is no terminal is left as it is. */
  enter(): void
  /** The settings as they were. May be called at any time, and twice. */
  restore(): void
  /** Restores the terminal and stops this process group; raw mode again when it is continued. */
  suspend(): void
}

/** Takes note of the terminal's settings. Call it before anything changes them. */
export function openLocalTerminal(): LocalTerminal {
  const input = process.stdin.isTTY ? process.stdin : undefined
  const watchdog: Watchdog | undefined = input === undefined ? undefined : startWatchdog()
  const modes = input === undefined ? [] : (ifPossible(() => readModes(0)) ?? [])
  let raw = false

  function enter(): void {
    if (input === undefined) return
    raw = true
    enterRawMode(input)
  }

  function resume(): void {
    if (!raw || input === undefined) return
    leaveRawMode(input)
    enterRawMode(input)
    // The window may have changed meanwhile, and the signal went to those in the foreground.
    process.kill(process.pid, 'SIGWINCH')
  }

  return {
    async describe() {
      await watchdog?.ready
      return { modes, size: terminalSize() }
    },
    onResize(callback) {
      process.on('SIGWINCH', () => callback(terminalSize()))
      process.on('SIGCONT', resume)
    },
    enter,
    restore() {
      raw = false
      if (input !== undefined) leaveRawMode(input)
      watchdog?.dismiss()
    },
    suspend() {
      if (input !== undefined) leaveRawMode(input)
      // As the terminal does it for ^Z: npx, or a script that we are part of, is to stop as well.
      process.kill(0, 'SIGTSTP')
      setTimeout(() => {
        if (raw && input !== undefined && !input.isRaw) enterRawMode(input)
      }, STOP_GRACE_MS).unref()
    },
  }
}
