import { spawnSync } from 'node:child_process'
import type { ReadStream } from 'node:tty'

/**
 * What OpenSSH's enter_raw_mode() sets and Node.js' raw mode doesn't. Without -opost the local terminal turns every
 * newline of the remote one into two characters, which breaks programs that move the cursor down with it.
 */
const COMPLETION = ['ignpar', '-inlcr', '-igncr', '-ixany', '-ixoff', '-echoe', '-echok', '-echonl', '-opost']

/** Hands every key of our input, a terminal, to the remote terminal, and every byte of it to the screen. */
export function enterRawMode(input: ReadStream): void {
  input.setRawMode(true)
  // Where there is no stty, raw mode is what Node.js makes of it.
  spawnSync('stty', COMPLETION, { stdio: ['inherit', 'ignore', 'ignore'] })
}

/** Puts back the settings that the terminal had before raw mode, exactly: libuv keeps them. */
export function leaveRawMode(input: ReadStream): void {
  if (input.isRaw) input.setRawMode(false)
}
