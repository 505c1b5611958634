import { readFileSync } from 'node:fs'

/** What stands in a JavaScript string for bytes that are not UTF-8. */
const REPLACEMENT = '\ufffd'
const SPACE = Buffer.from(' ')

/**
 * Arguments as they were given. File names need not be UTF-8, and Node.js decodes its arguments as if they were; the
 * bytes are in /proc/self/cmdline, proc(5).
 * @param words the last arguments of this process
 */
export function argumentBytes(words: readonly string[]): Buffer[] {
  if (!words.some((word) => word.includes(REPLACEMENT))) return words.map((word) => Buffer.from(word))
  return lastArguments(readFileSync('/proc/self/cmdline'), words.length)
}

/**
 * A command as ssh(1) sends it: its words, joined with spaces.
 * @param words the last arguments of this process
 */
export function joinCommand(words: readonly string[]): Buffer {
  return Buffer.concat(argumentBytes(words).flatMap((word, index) => (index === 0 ? [word] : [SPACE, word])))
}

/** The last `count` arguments, each of which is ended by a NUL byte. */
export function lastArguments(cmdline: Buffer, count: number): Buffer[] {
  const words: Buffer[] = []
  let end = cmdline.length - 1
  while (words.length < count) {
    const start = end <= 0 ? -1 : cmdline.lastIndexOf(0, end - 1)
    words.unshift(cmdline.subarray(start + 1, end))
    end = start
  }
  return words
}
