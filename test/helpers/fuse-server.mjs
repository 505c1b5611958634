// A file system of FUSE on descriptor 3, until the end of stdin. Every name in its root is a file of zeros; blocks are of 1 MiB, and
// counted in fragments of 4 KiB. fuse(4)
import fs from 'node:fs'

const DEVICE = 3
const ROOT = 1n
const FILE_BYTES = 4n * 1024n * 1024n
const OPCODES = {
  LOOKUP: 1,
  FORGET: 2,
  GETATTR: 3,
  OPEN: 14,
  READ: 15,
  STATFS: 17,
  RELEASE: 18,
  FLUSH: 25,
  INIT: 26,
}
const MORE = { OPENDIR: 27, READDIR: 28, RELEASEDIR: 29, INTERRUPT: 36, BATCH_FORGET: 42 }
const ENOSYS = 38
/** Without an answer, by the protocol. */
const UNANSWERED = new Set([OPCODES.FORGET, MORE.BATCH_FORGET, MORE.INTERRUPT])

/** Numbers one after the other: [value, bytes]. */
function pack(...fields) {
  return Buffer.concat(
    fields.map(([value, bytes]) => {
      const buffer = Buffer.alloc(bytes)
      if (bytes === 8) buffer.writeBigUInt64LE(BigInt(value))
      else if (bytes === 4) buffer.writeUInt32LE(Number(value))
      else if (bytes === 2) buffer.writeUInt16LE(Number(value))
      return buffer
    }),
  )
}

/** struct fuse_attr */
function attributes(node) {
  const [mode, size] = node === ROOT ? [0o40755, 0n] : [0o100644, FILE_BYTES]
  const times = [...Array(3).fill([0, 8]), ...Array(3).fill([0, 4])]
  return pack([node, 8], [size, 8], [size / 512n, 8], ...times, [mode, 4], [1, 4], [0, 16], [0, 4])
}

function answer(opcode, node, body) {
  switch (opcode) {
    case OPCODES.INIT:
      return pack([7, 4], [31, 4], [0, 8], [12, 2], [9, 2], [65_536, 4], [1, 4], [0, 36])
    case OPCODES.LOOKUP:
      return Buffer.concat([pack([2, 8], [0, 8], [0, 24]), attributes(2n)])
    case OPCODES.GETATTR:
      return Buffer.concat([pack([0, 16]), attributes(node)])
    case OPCODES.STATFS: {
      const counts = [1_000_000n, 500_000n, 400_000n, 1_000n, 900n].map((count) => [count, 8])
      return pack(...counts, [1024 * 1024, 4], [255, 4], [4096, 4], [0, 28])
    }
    case OPCODES.OPEN:
      return pack([1, 8], [1, 4], [0, 4]) // FOPEN_DIRECT_IO: each read is asked for
    case MORE.OPENDIR:
      return pack([1, 8], [0, 8])
    case OPCODES.READ: {
      const [offset, size] = [body.readBigUInt64LE(8), body.readUInt32LE(16)]
      const left = FILE_BYTES > offset ? FILE_BYTES - offset : 0n
      return Buffer.alloc(Math.min(size, Number(left)))
    }
    case MORE.READDIR:
    case OPCODES.RELEASE:
    case MORE.RELEASEDIR:
    case OPCODES.FLUSH:
      return Buffer.alloc(0)
    default:
      return ENOSYS
  }
}

function respond(request) {
  const [opcode, unique, node] = [
    request.readUInt32LE(4),
    request.readBigUInt64LE(8),
    request.readBigUInt64LE(16),
  ]
  if (UNANSWERED.has(opcode)) return
  const result = answer(opcode, node, request.subarray(40))
  const data = typeof result === 'number' ? Buffer.alloc(0) : result
  const head = Buffer.alloc(16)
  head.writeUInt32LE(16 + data.length)
  head.writeInt32LE(typeof result === 'number' ? -result : 0, 4)
  head.writeBigUInt64LE(unique, 8)
  try {
    fs.writeSync(DEVICE, Buffer.concat([head, data]))
  } catch (error) {
    if (error.code !== 'ENOENT') throw error // whoever asked has gone
  }
}

const buffer = Buffer.alloc(1024 * 1024)
function next() {
  fs.read(DEVICE, buffer, 0, buffer.length, null, (error, length) => {
    if (error !== null) process.exit(error.code === 'ENODEV' ? 0 : 1)
    respond(buffer.subarray(0, length))
    next()
  })
}
next()
// The thread that reads the device would keep the process.
process.stdin.resume().on('end', () => process.kill(process.pid, 'SIGKILL'))
console.log('ready')
