const SSH_MSG_DISCONNECT = 1
const SSH_DISCONNECT_PROTOCOL_ERROR = 2
const BLOCK = 8
const MIN_PADDING = 4

/**
 * A refusal that an SSH client shows to its user: a line before the version (RFC 4253 §4.2), the version, and a
 * disconnect message in a packet that is not encrypted yet (RFC 4253 §6 and §11.1).
 */
export function encodeSshRefusal(message: string): Buffer {
  const payload = Buffer.concat([
    Buffer.from([SSH_MSG_DISCONNECT]),
    uint32(SSH_DISCONNECT_PROTOCOL_ERROR),
    string(message),
    string(''),
  ])
  const missing = BLOCK - ((4 + 1 + payload.length) % BLOCK)
  const padding = missing < MIN_PADDING ? missing + BLOCK : missing
  return Buffer.concat([
    Buffer.from(`sshjob: ${message}\r\nSSH-2.0-sshjob\r\n`),
    uint32(1 + payload.length + padding),
    Buffer.from([padding]),
    payload,
    Buffer.alloc(padding),
  ])
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

function string(text: string): Buffer {
  const bytes = Buffer.from(text)
  return Buffer.concat([uint32(bytes.length), bytes])
}
