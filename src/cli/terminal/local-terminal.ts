import type { TerminalModes, TerminalSize } from '../../job/job.js'
import { parseModes, parseSize } from './modes.js'
import { enterRawMode, leaveRawMode } from './raw-mode.js'
import { startWatchdog, type Watchdog } from './watchdog.js'
import { characterSize, fullSize } from './window-size.js'

/** The size of a terminal that nobody knows. */
const FALLBACK_SIZE: TerminalSize = { columns: 80, rows: 24, width: 0, height: 0 }
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
  let full: TerminalSize | undefined
  let raw = false
  let listener: ((size: TerminalSize) => void) | undefined

  function size(): TerminalSize {
    const characters = characterSize()
    if (characters === undefined) return full ?? FALLBACK_SIZE
    if (full === undefined) return { ...characters, width: 0, height: 0 }
    // A cell keeps its size while the window changes: right at once, and corrected by refresh() otherwise.
    const width = Math.round((full.width / full.columns) * characters.columns)
    const height = Math.round((full.height / full.rows) * characters.rows)
    return { ...characters, width, height }
  }

  async function refresh(): Promise<void> {
    if (input === undefined) return
    const before = size()
    full = await fullSize()
    const after = size()
    const same = (['columns', 'rows', 'width', 'height'] as const).every((key) => before[key] === after[key])
    if (!same) listener?.(after)
  }
  let refreshing = refresh()

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
      const settings = await (watchdog?.settings ?? '')
      const inputSize = parseSize(settings)
      if (full === undefined && inputSize !== undefined) full = { ...inputSize, width: 0, height: 0 }
      return { modes: parseModes(settings), size: size() }
    },
    onResize(callback) {
      listener = callback
      process.on('SIGWINCH', () => {
        callback(size())
        // Not two at a time: the size that is asked for last is asked for after the last change.
        refreshing = refreshing.then(refresh)
      })
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
