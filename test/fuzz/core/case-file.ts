import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { decodeScript, encodeScript, fieldsOf, type Script } from './script.js'

/** A case for a target, as it is kept in a file. */
export interface Case {
  target: string
  script: Script
  /** What it failed with when it was found; of more lines than one, the first is kept. */
  failure: string
}

export function writeCase(path: string, { target, failure, script }: Case): void {
  writeFileSync(
    path,
    `${JSON.stringify({ target, failure: failure.split('\n')[0], script: encodeScript(script) }, undefined, 2)}\n`,
  )
}

/** @throws TypeError for what is no case */
export function readCase(path: string): Case {
  const { target, script, failure } = fieldsOf(JSON.parse(readFileSync(path, 'utf8')))
  if (typeof target !== 'string') throw new TypeError(`${path} names no target`)
  return { target, script: decodeScript(script), failure: typeof failure === 'string' ? failure : '' }
}

/** Keeps a case among those that a test runs for ever; gives the file's path. */
export function keepCase(directory: string, found: Case): string {
  const name = createHash('sha256')
    .update(JSON.stringify(encodeScript(found.script)))
    .digest('hex')
    .slice(0, 8)
  const path = join(directory, `${found.target}-${name}.json`)
  mkdirSync(directory, { recursive: true })
  writeCase(path, found)
  return path
}

export function casesIn(directory: string): string[] {
  return readdirSync(directory).filter((name) => name.endsWith('.json'))
}
