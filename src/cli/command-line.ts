import { readFileSync } from 'node:fs'

/** What stands in a JavaScript string for bytes that are not UTF-8. */
const REPLACEMENT = '\ufffd'
const SPACE = 0x20

/**
 * A command as ssh(1) sends it: its words, joined with spaces. File names need not be UTF-8, and Node.js decodes its
 * arguments as if they were; the bytes are in /proc/self/cmdline, proc(5).
 * @param words the last arguments of this process
 */
export function joinCommand(words: readonly string[]): string | Buffer {
  const text = words.join(' ')
  if (!text.includes(REPLACEMENT)) return text
  return joinLastArguments(readFileSync('/proc/self/cmdline'), words.length)
}

/** The last `count` arguments, each ended by a NUL byte, joined with spaces. */
export function joinLastArguments(cmdline: Buffer, count: number): Buffer {
  const end = cmdline.length - 1
  let start = end
  for (let left = count; left > 0; left -= 1) start = cmdline.lastIndexOf(0, start - 1)
  const words = Buffer.from(cmdline.subarray(start + 1, end))
  for (let at = words.indexOf(0); at !== -1; at = words.indexOf(0, at)) words[at] = SPACE
  return words
}
