import { spawn } from 'node:child_process'
import { Socket } from 'node:net'

/**
 * Prints the terminal's settings, then waits. If this process ends without a word (the line on descriptor 3), the
 * settings are put back, unless somebody else did so already: only raw mode has -opost. A process of its own
 * session may do that to a terminal that is not its own; job control doesn't stop it (tty_ioctl(4), SIGTTOU).
 */
const SCRIPT = `
trap '' HUP INT TERM QUIT
saved=$(stty -g) && stty -a && echo . || exit
read -r word <&3 && exit
case $(stty -a) in *-opost*) stty "$saved" ;; esac`

/** Puts the terminal's settings back if this process can't do so itself: SIGKILL, or a crash of the runtime. */
export interface Watchdog {
  /** What `stty -a` says of the terminal; '' where there is no stty. Resolves before raw mode may be entered. */
  readonly settings: Promise<string>
  /** The terminal is restored: nothing is left to be done. */
  dismiss(): void
}

/** Starts the watchdog of the terminal that is our standard input. Costs 3 ms, beside the connecting. */
export function startWatchdog(): Watchdog {
  const child = spawn('/bin/sh', ['-c', SCRIPT], {
    stdio: ['inherit', 'pipe', 'ignore', 'pipe'],
    cwd: '/',
    detached: true,
  })
  const orders = child.stdio[3] instanceof Socket ? child.stdio[3] : undefined
  const settings = new Promise<string>((resolve) => {
    let text = ''
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      if (text.endsWith('\n.\n')) resolve(text)
    })
    // No shell, no stty, or no terminal: there is nothing to know.
    child.once('error', () => resolve(''))
    child.once('close', () => resolve(''))
  })
  let dismissed = false
  // A watchdog that has gone needs no orders; a broken pipe says just that.
  orders?.on('error', () => orders.destroy())
  return {
    settings: settings.then((text) => {
      child.stdout?.destroy()
      child.unref()
      orders?.unref()
      return text
    }),
    dismiss: () => {
      if (!dismissed) orders?.end('restored\n')
      dismissed = true
    },
  }
}
