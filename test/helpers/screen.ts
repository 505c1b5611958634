import { execFileSync } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'

const POLL_MS = 50
const WAIT_MS = 20_000

/** A terminal in tmux that a test types into and reads. */
export interface Screen {
  /** Types the text as it is. */
  type(text: string): void
  /** Types a line. */
  enter(line: string): void
  /** Presses keys by tmux' names: 'C-z', 'Enter'. */
  press(...keys: string[]): void
  resize(columns: number, rows: number): void
  /** What can be read, without the blanks at the ends of the lines. */
  text(): string
  /** Resolves once the screen matches; rejects, and shows it, when it does not in time. */
  waitFor(pattern: RegExp): Promise<void>
  close(): void
}

export interface ScreenOptions {
  /** A folder of the test's own, for tmux' socket. */
  folder: string
  command: string
  env: NodeJS.ProcessEnv
  columns?: number
  rows?: number
}

export function openScreen({ folder, command, env, columns = 100, rows = 30 }: ScreenOptions): Screen {
  const socket = `${folder}/tmux.${Math.random().toString(36).slice(2, 8)}`
  const tmux = (...args: string[]): string =>
    execFileSync('tmux', ['-u', '-S', socket, '-f', '/dev/null', ...args], {
      env,
      encoding: 'utf8',
      stdio: 'pipe',
    })
  const text = (): string =>
    tmux('capture-pane', '-p', '-S', '-500')
      .split('\n')
      .map((line) => line.trimEnd())
      .join('\n')
      .trimEnd()
  tmux('new-session', '-d', '-x', String(columns), '-y', String(rows), command)
  const type = (line: string): void => void tmux('send-keys', '-l', line)
  const press = (...keys: string[]): void => void tmux('send-keys', ...keys)
  return {
    type,
    press,
    enter(line) {
      type(line)
      press('Enter')
    },
    resize: (newColumns, newRows) =>
      void tmux('resize-window', '-x', String(newColumns), '-y', String(newRows)),
    text,
    async waitFor(pattern) {
      const deadline = Date.now() + WAIT_MS
      while (!pattern.test(text())) {
        if (Date.now() > deadline)
          throw new Error(`The screen does not show ${pattern}. It shows:\n${text()}`)
        await delay(POLL_MS)
      }
    },
    close: () => void tmux('kill-server'),
  }
}
