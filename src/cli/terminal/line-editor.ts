import { createInterface } from 'node:readline'
import { PassThrough } from 'node:stream'

/** A line that is being typed. */
export interface LineReader {
  /** Takes keys; gives back those behind the end of the line, once it has ended. */
  push(keys: Buffer): Buffer | undefined
  /** What was typed; undefined if it was given up (Ctrl-C, or Ctrl-D in an empty line). */
  readonly line: Promise<string | undefined>
}

export interface LineEditor {
  read(prompt: string): LineReader
}

const CTRL_C = 0x03
const ENDS: readonly number[] = [CTRL_C, 0x0a, 0x0d]

/** Reads lines with the editing of node:readline, from keys of a terminal in raw mode, with a history. */
export function createLineEditor(output: NodeJS.WritableStream): LineEditor {
  let history: string[] = []
  return {
    read(prompt) {
      const input = new PassThrough()
      const editor = createInterface({ input, output, terminal: true, prompt, history })
      const line = new Promise<string | undefined>((resolve) => {
        editor.on('history', (lines) => {
          history = lines
        })
        editor.on('line', (text) => {
          resolve(text)
          editor.close()
        })
        editor.on('SIGINT', () => {
          output.write('\r\n')
          editor.close()
        })
        // Its own Ctrl-Z would stop us behind the back of whoever set the terminal to raw mode.
        editor.on('SIGTSTP', () => undefined)
        editor.on('close', () => resolve(undefined))
      })
      editor.prompt()
      return {
        line,
        push(keys) {
          const end = keys.findIndex((key) => ENDS.includes(key))
          // One by one: of several at once, node:readline puts a character at the end of the line, wherever the cursor is.
          for (const key of end < 0 ? keys : keys.subarray(0, end + 1)) input.write(Buffer.of(key))
          return end < 0 ? undefined : keys.subarray(end + 1)
        },
      }
    },
  }
}
