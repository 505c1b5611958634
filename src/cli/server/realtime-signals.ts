import { REAL_TIME_MAX, REAL_TIME_MIN } from '../../process/signals.js'

/** What process.on('SIGTERM') stands on: libuv takes any number, and Node.js only those that it has names for. */
interface SignalBinding {
  Signal: new () => {
    onsignal: (number: number) => void
    unref(): void
    /** 0, or an error number. */
    start(signal: number): number
  }
}

/**
 * Listens for the real-time signals; does nothing where this Node.js does not let us. They would end this process
 * otherwise.
 */
export function listenForRealtimeSignals(receive: (signal: number) => void): void {
  const binding = openBinding()
  if (binding === undefined) return
  for (let signal = REAL_TIME_MIN; signal <= REAL_TIME_MAX; signal++) {
    const handle = new binding.Signal()
    handle.onsignal = receive
    handle.unref()
    handle.start(signal)
    handles.add(handle)
  }
}

/** One that is collected listens no more. */
const handles = new Set<object>()

function openBinding(): SignalBinding | undefined {
  const { noDeprecation } = process
  // DEP0111, which has no replacement for this, would be told on stderr.
  process.noDeprecation = true
  try {
    const binding: unknown =
      'binding' in process && typeof process.binding === 'function'
        ? process.binding('signal_wrap')
        : undefined
    return isSignalBinding(binding) ? binding : undefined
  } catch {
    return undefined
  } finally {
    process.noDeprecation = noDeprecation ?? false
  }
}

function isSignalBinding(value: unknown): value is SignalBinding {
  return (
    typeof value === 'object' && value !== null && 'Signal' in value && typeof value.Signal === 'function'
  )
}
