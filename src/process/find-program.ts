import { accessSync, constants, statSync } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'

/** Where execvp(3) looks without a PATH. */
export const DEFAULT_PATH = '/usr/local/bin:/usr/bin:/bin'

/** A name or a path. Bytes where it need not be UTF-8. */
type Bytes = string | Buffer

/** With each byte as one character, so that paths can be taken apart and put together without loss. */
const toBytes = (text: Bytes): string => Buffer.from(text).toString('latin1')

/** The files that execvp(3) would try for a name: one without '/' in each folder of PATH. */
function candidates(name: Bytes, path: Bytes | undefined, directory: Bytes | undefined): Buffer[] {
  const wanted = toBytes(name)
  if (wanted === '' || wanted.includes('\0')) return []
  const below = (file: string): string =>
    directory === undefined || isAbsolute(file) ? file : join(toBytes(directory), file)
  const files = wanted.includes('/')
    ? [wanted]
    : toBytes(path ?? DEFAULT_PATH)
        .split(':')
        .map((folder) => `${folder === '' ? '.' : folder}/${wanted}`)
  return files.map((file) => Buffer.from(below(file), 'latin1'))
}

/** Whether a file is there and may be run. */
export async function isExecutable(file: Bytes): Promise<boolean> {
  try {
    await access(file, constants.X_OK)
    return (await stat(file)).isFile()
  } catch {
    return false
  }
}

export interface Search {
  /** Default: DEFAULT_PATH. */
  path: Bytes | undefined
  /** What relative paths are relative to. Default: our own working directory. */
  directory?: Bytes | undefined
}

/**
 * Finds a program as execvp(3) does, without keeping the event loop waiting. Undefined if it isn't there.
 * @param look how each file is looked at. Default: for as long as it takes
 */
export async function findProgram(
  name: Bytes,
  { path, directory }: Search,
  look: (file: Buffer) => Promise<boolean> = isExecutable,
): Promise<Buffer | undefined> {
  for (const file of candidates(name, path, directory)) if (await look(file)) return file
  return undefined
}

/** The same at once: for programs of the system, never for what a job names. */
export function findProgramSync(name: string, { path, directory }: Search): string | undefined {
  return candidates(name, path, directory)
    .find((file) => {
      try {
        accessSync(file, constants.X_OK)
        return statSync(file).isFile()
      } catch {
        return false
      }
    })
    ?.toString()
}
