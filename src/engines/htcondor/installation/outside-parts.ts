import fs from 'node:fs'
import { SshjobError } from '../../../core/errors.js'

/** How Node.js' configure is told to take a part of Node.js from a file: `--shared-builtin-undici/undici-path`, say. */
const OUTSIDE_PART = /^'?NODE_SHARED_BUILTIN_\w+="?(\/[^"']+)/
/**
 * Read instead: a number, which is JavaScript that does nothing. With an empty file, Node.js would abort where such a
 * part is first used. No Node.js has this path by itself.
 */
const NOTHING = '/proc/sys/kernel/pid_max'

/**
 * The files of other packages that a distribution's Node.js reads when it starts, and aborts without: parts of its own
 * library in JavaScript. Those of nodejs.org have none.
 */
export function outsideParts(defines: readonly unknown[] = process.config.target_defaults.defines): string[] {
  return defines.map((define) => OUTSIDE_PART.exec(String(define))?.[1]).filter((file) => file !== undefined)
}

/**
 * Has the copy of Node.js in these files start without them, since they can go, or change, when packages do. It has to
 * be done to the paths that are compiled in: nothing else leads to them, and a copy's own paths may be longer. What
 * is gone by it are parts that are loaded when they are first used, and that no program of ours uses: fetch,
 * names exported by CommonJS modules, the parser of the REPL, fs.glob.
 * @throws SshjobError 'file-failed' where a path is in none of the files, or can't be replaced
 */
export function doWithoutParts(files: readonly string[], parts: readonly string[]): void {
  if (parts.length === 0) return
  const missing = new Set(parts)
  for (const file of files) {
    const bytes = fs.readFileSync(file)
    if (bytes.includes(`\0${NOTHING}\0`)) return // a copy's own Node.js, of which another copy is made
    const found = parts.filter((part) => replaceString(bytes, part))
    for (const part of found) missing.delete(part)
    if (found.length > 0) fs.writeFileSync(file, bytes)
  }
  const [part] = missing
  if (part === undefined) return
  throw new SshjobError(
    'file-failed',
    `This Node.js reads ${part} when it starts, and a copy of it would not start without: run this with the Node.js of nodejs.org.`,
  )
}

/** All string literals of a program that are this text, with the zero byte that ends each. */
function replaceString(bytes: Buffer, text: string): boolean {
  if (text.length < NOTHING.length) return false
  const literal = Buffer.from(`\0${text}\0`)
  const replacement = Buffer.alloc(literal.length)
  replacement.write(NOTHING, 1)
  let found = false
  for (let at = bytes.indexOf(literal); at !== -1; at = bytes.indexOf(literal, at + 1)) {
    replacement.copy(bytes, at)
    found = true
  }
  return found
}
