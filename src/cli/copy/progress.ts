import { PROGRESS_INTERVAL_MS } from '../../core/limits.js'
import { printable } from '../report.js'

export interface Progress {
  done: number
  total: number
  /** Since the beginning. */
  elapsedMs: number
  /** Bytes that were there before. */
  start: number
  name: string
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']
const BAR = 20

/** '12.3 MiB' */
export function formatBytes(bytes: number): string {
  let value = bytes
  let unit = 0
  for (; value >= 999.5 && unit < UNITS.length - 1; unit++) value /= 1024
  return `${unit === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`
}

/** '0:07', '1:02:03' */
export function formatSeconds(seconds: number): string {
  const whole = Math.round(seconds)
  const two = (value: number): string => String(value).padStart(2, '0')
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60]
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`
}

/** One line, no wider than the terminal: bar, share, bytes, rate, time left, and the name as far as there is room. */
export function formatProgress({ done, total, elapsedMs, start, name }: Progress, columns: number): string {
  const share = total === 0 ? 1 : Math.min(1, done / total)
  const filled = Math.round(share * BAR)
  const rate = elapsedMs === 0 ? 0 : (done - start) / (elapsedMs / 1000)
  const left =
    done >= total
      ? formatSeconds(elapsedMs / 1000)
      : rate === 0
        ? '-:--'
        : formatSeconds((total - done) / rate)
  const words = [
    `[${'='.repeat(filled)}${' '.repeat(BAR - filled)}]`,
    `${Math.floor(share * 100)}%`.padStart(4),
    `${formatBytes(done)} of ${formatBytes(total)}`,
    `${formatBytes(rate)}/s`,
    done >= total ? `in ${left}` : `${left} left`,
    printable(name),
  ]
  return [...words.join('  ')].slice(0, Math.max(0, columns - 1)).join('')
}

export interface ProgressLine {
  update(done: number, name: string): void
  /** Writes a line above it. */
  say(sentence: string): void
  /** Leaves the last state on the screen. */
  finish(): void
}

/** Draws the progress on a terminal, in one line that changes. */
export function drawProgress(stream: NodeJS.WriteStream, total: number): ProgressLine {
  const began = Date.now()
  let start: number | undefined
  let state = { done: 0, name: '' }
  let drawn = 0
  const draw = (): void => {
    drawn = Date.now()
    const progress = { ...state, total, start: start ?? 0, elapsedMs: drawn - began }
    stream.write(`\r${formatProgress(progress, stream.columns ?? 80)}\x1b[K`)
  }
  return {
    update(done, name) {
      start ??= done
      state = { done, name }
      if (Date.now() - drawn >= PROGRESS_INTERVAL_MS) draw()
    },
    say(sentence) {
      stream.write(`\r\x1b[K${sentence}\n`)
      draw()
    },
    finish() {
      draw()
      stream.write('\n')
    },
  }
}
