import { closeSync, constants, fstatSync, openSync, readFileSync, realpathSync, statSync } from 'node:fs'
import path from 'node:path'
import { messageOf, systemCode } from '../core/errors.js'
import { AUTHORIZED_KEYS_MAX_BYTES } from '../core/limits.js'
import type { Logger } from '../core/log.js'

/** Whose session it will be: sshd_config(5) TOKENS. */
export interface SessionUser {
  name: string
  uid: number
  home: string
}

/** The path of a file of keys, with its tokens filled in; relative ones start at home. */
export function expandPath(pattern: string, { name, uid, home }: SessionUser): string {
  const tokens: Readonly<Record<string, string>> = { h: home, u: name, U: String(uid), '%': '%' }
  const text = pattern.replace(/%(.?)/gs, (whole, letter: string) => tokens[letter] ?? whole)
  return path.resolve(home, text)
}

/** The text of a file of keys; undefined, with a word in the log, where there is none that may be used. */
export function readKeyFile(
  file: string,
  user: SessionUser,
  strict: boolean,
  log: Logger,
): string | undefined {
  let fd: number | undefined
  try {
    // A FIFO would keep us waiting, for who writes into it and then for what.
    fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK)
    const status = fstatSync(fd)
    // /dev/null is a way of saying that there are none.
    if (!status.isFile()) return undefined
    if (status.size > AUTHORIZED_KEYS_MAX_BYTES) return refuse(log, file, 'it is too large')
    const unsafe = strict ? findUnsafe(file, status, user) : undefined
    if (unsafe !== undefined) return refuse(log, file, unsafe)
    return readFileSync(fd, 'utf8')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    return refuse(log, file, messageOf(error))
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}

function refuse(log: Logger, file: string, reason: string): undefined {
  log.warn({ file, reason }, 'a file of keys is not used')
  return undefined
}

/**
 * sshd_config(5) StrictModes: the file, and each folder up to the home folder or the root, may be changed by nobody but
 * root and the user.
 * @returns the sentence that says what is wrong, where something is
 */
function findUnsafe(
  file: string,
  status: { uid: number; mode: number },
  user: SessionUser,
): string | undefined {
  const isSafe = ({ uid, mode }: { uid: number; mode: number }): boolean =>
    (uid === 0 || uid === user.uid) && (mode & 0o022) === 0
  if (!isSafe(status)) return 'others may write to it, and StrictModes is on'
  const home = realPath(user.home)
  for (let folder = path.dirname(realpathSync(file)); ; folder = path.dirname(folder)) {
    if (!isSafe(statSync(folder))) return `others may write to ${folder}, and StrictModes is on`
    if (folder === home || folder === '/') return undefined
  }
}

function realPath(folder: string): string {
  try {
    return realpathSync(folder)
  } catch {
    // A home that is not there holds no file either.
    return folder
  }
}
