import { systemCode } from '../../core/errors.js'
import { PATH_MAX_BYTES, SYMLINKS_MAX } from '../../core/limits.js'
import type { FileCalls } from '../../job/file-calls.js'

/**
 * The absolute path without links, '.' and '..', as OpenSSH's sftp_realpath() finds it: other than for realpath(3),
 * the last component need not exist, since clients ask for the name of what they are about to make.
 * @param path absolute. It is bytes, carried in strings of one character each.
 */
export async function realPath(calls: FileCalls, path: Buffer): Promise<Buffer> {
  if (path.length > PATH_MAX_BYTES) throw pathError('ENAMETOOLONG')
  let left = path.toString('latin1').slice(1)
  let resolved = '/'
  let links = 0
  while (left !== '') {
    const at = left.indexOf('/')
    const last = at < 0
    const token = last ? left : left.slice(0, at)
    left = last ? '' : left.slice(at + 1)
    if (token === '' || token === '.') continue
    if (token === '..') {
      resolved = parentOf(resolved)
      continue
    }
    const parent = resolved
    resolved = parent === '/' ? `/${token}` : `${parent}/${token}`
    if (resolved.length > PATH_MAX_BYTES) throw pathError('ENAMETOOLONG')
    const file = Buffer.from(resolved, 'latin1')
    const stats = await calls.lstat(file).catch((error: unknown) => {
      const code = systemCode(error)
      if ((code === 'ENOENT' && last) || code === 'not-answering') return undefined
      throw error
    })
    // Who asks for files elsewhere is not to be kept from them: whatever is done with this one will be told.
    if (stats === undefined) return Buffer.from(last ? resolved : `${resolved}/${left}`, 'latin1')
    if (!stats.isSymbolicLink()) continue
    if (++links > SYMLINKS_MAX) throw pathError('ELOOP')
    const target = (await calls.readlink(file)).toString('latin1')
    resolved = target.startsWith('/') ? '/' : parent
    left = last ? target : `${target}/${left}`
    if (left.length > PATH_MAX_BYTES) throw pathError('ENAMETOOLONG')
  }
  return Buffer.from(resolved, 'latin1')
}

const parentOf = (path: string): string => path.slice(0, Math.max(1, path.lastIndexOf('/')))

function pathError(code: 'ELOOP' | 'ENAMETOOLONG'): Error {
  return Object.assign(new Error(code), { code })
}
