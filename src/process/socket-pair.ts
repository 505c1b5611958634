import { Socket } from 'node:net'
import { check, libc } from './libc.js'

/** socketpair(2): the same numbers on all processors but MIPS, SPARC and Alpha. */
const AF_UNIX = 1
const SOCK_STREAM = 1
const SOCK_NONBLOCK = 0o4000
const SOCK_CLOEXEC = 0o2000000

/**
 * Two sockets that are connected with each other, and known to nobody else. The second does not read: it is to be given
 * to another process. @throws SystemError, such as EMFILE; SshjobError as libc()
 */
export function socketPair(): [Socket, Socket] {
  const pair = Buffer.alloc(8)
  check(libc().socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 'socketpair')
  const [first, second] = new Int32Array(pair.buffer, pair.byteOffset, 2)
  const ours = { fd: first, allowHalfOpen: true }
  const theirs = { fd: second, allowHalfOpen: true, manualStart: true }
  return [new Socket(ours), new Socket(theirs)]
}
