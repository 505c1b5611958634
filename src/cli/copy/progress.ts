import { Format, MultiBar } from 'cli-progress'
import { PROGRESS_INTERVAL_MS } from '../../core/limits.js'
import { printable } from '../output/report.js'

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']
const LINE = '[{bar}] {percentage}%  {value} of {total}  {rate}/s  {eta_formatted} left  {name}'
const BAR_CHARACTERS = 20
/** What the time left is reckoned from: the last ten seconds. */
const ETA_SAMPLES = 10_000 / PROGRESS_INTERVAL_MS

/** '12.3 MiB' */
export function formatBytes(bytes: number): string {
  let value = bytes
  let unit = 0
  for (; value >= 999.5 && unit < UNITS.length - 1; unit++) value /= 1024
  return `${unit === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`
}

export interface ProgressLine {
  update(done: number, name: string): void
  /** Writes a line above it. */
  say(sentence: string): void
  /** Leaves the last state on the screen. */
  finish(): void
}

/** Draws the progress on a terminal, in one line that changes: share, bytes, rate, time left, and the name. */
export function drawProgress(stream: NodeJS.WritableStream, total: number): ProgressLine {
  const began = Date.now()
  /** Bytes that were there before do not count into the rate. */
  let start: number | undefined
  let state = { done: 0, name: '' }
  const bars = new MultiBar({
    stream,
    format: LINE,
    fps: 1_000 / PROGRESS_INTERVAL_MS,
    barsize: BAR_CHARACTERS,
    barIncompleteChar: ' ',
    etaBuffer: ETA_SAMPLES,
    // Cut to the width by the library: a terminal whose wrapping is off would stay so when a signal ends us.
    linewrap: true,
    hideCursor: null,
    // What is said above it has taken its line.
    forceRedraw: true,
    gracefulExit: false,
    formatValue: (value, _options, kind) =>
      kind === 'total' || kind === 'value' ? formatBytes(value) : String(value).padStart(3),
    // Not known yet: it is no number then.
    formatTime: (seconds, options) =>
      Number.isFinite(seconds) ? Format.TimeFormat(seconds, options, 1) : '-',
  })
  const bar = bars.create(total, 0, { rate: formatBytes(0), name: '' })
  const refresh = (): void => {
    const seconds = Math.max(1, Date.now() - began) / 1_000
    const rate = formatBytes((state.done - (start ?? 0)) / seconds)
    bar.update(state.done, { rate, name: printable(state.name) })
  }
  bars.on('update-pre', refresh).on('stop-pre-clear', refresh)
  return {
    update(done, name) {
      start ??= done
      state = { done, name }
    },
    say: (sentence) => bars.log(`${sentence}\n`),
    finish() {
      // What was said is written with the bar only.
      bars.update()
      bars.stop()
    },
  }
}
