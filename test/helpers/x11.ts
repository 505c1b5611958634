/** The first packet of a client of X11 (X11 protocol, §8), in either order of bytes. */
export function setupPacket(order: 'B' | 'l', protocol: string, cookie: Buffer): Buffer {
  const head = Buffer.alloc(12)
  head.write(order)
  const put = (value: number, at: number): void => {
    if (order === 'B') head.writeUInt16BE(value, at)
    else head.writeUInt16LE(value, at)
  }
  put(11, 2)
  put(protocol.length, 6)
  put(cookie.length, 8)
  const padded = (bytes: Buffer): Buffer[] => [bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]
  return Buffer.concat([head, ...padded(Buffer.from(protocol)), ...padded(cookie)])
}
