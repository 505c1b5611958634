import { closeSync, constants, openSync, readSync } from 'node:fs'

/**
 * The first bytes of a file, `limit` of them at most: a configuration may name /dev/zero, which never ends,
 * or a FIFO that nobody writes to, which is as good as empty.
 * @throws a system error
 */
export function readAtMost(file: string, limit: number): Buffer {
  const descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    return readDescriptorAtMost(descriptor, limit)
  } finally {
    closeSync(descriptor)
  }
}

/** As readAtMost(), of a file that is open. */
export function readDescriptorAtMost(descriptor: number, limit: number): Buffer {
  const bytes = Buffer.allocUnsafe(limit)
  let length = 0
  for (let read = -1; read !== 0 && length < limit; length += read) {
    read = readSync(descriptor, bytes, length, limit - length, null)
  }
  return bytes.subarray(0, length)
}
