import { Socket } from 'node:net'
import { startHelper } from '../../process/helpers.js'

/**
 * Takes note of the terminal's settings, says so, and waits. If this process ends without a word (the line on descriptor 3), the
 * settings are put back, unless somebody else did so already: only raw mode has -opost. A process of its own
 * session may do that to a terminal that is not its own; job control doesn't stop it (tty_ioctl(4), SIGTTOU).
 */
const SCRIPT = `
trap '' HUP INT TERM QUIT
saved=$(stty -g) && echo . || exit
read -r word <&3 && exit
case $(stty -a) in *-opost*) stty "$saved" ;; esac`

/** Puts the terminal's settings back if this process can't do so itself: SIGKILL, or a crash of the runtime. */
export interface Watchdog {
  /** The settings are known to it, or there is no stty: raw mode may be entered. */
  readonly ready: Promise<void>
  /** The terminal is restored: nothing is left to be done. */
  dismiss(): void
}

/** Starts the watchdog of the terminal that is our standard input. Costs 3 ms, beside the connecting. */
export function startWatchdog(): Watchdog {
  const child = startHelper('/bin/sh', ['-c', SCRIPT], {
    stdio: ['inherit', 'pipe', 'ignore', 'pipe'],
    cwd: '/',
    detached: true,
  })
  const orders = child.stdio[3] instanceof Socket ? child.stdio[3] : undefined
  const ready = new Promise<void>((resolve) => {
    child.stdout?.once('data', () => resolve())
    // No shell, no stty, or no terminal: there is nothing to put back.
    child.once('error', () => resolve())
    child.once('close', () => resolve())
  })
  let dismissed = false
  // A watchdog that has gone needs no orders; a broken pipe says just that.
  orders?.on('error', () => orders.destroy())
  return {
    ready: ready.then(() => {
      child.stdout?.destroy()
      child.unref()
      orders?.unref()
    }),
    dismiss: () => {
      if (!dismissed) orders?.end('restored\n')
      dismissed = true
    },
  }
}
