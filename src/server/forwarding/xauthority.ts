/** Families of Xau's Xauth.h and X.h. */
const FAMILY = { INTERNET: 0, LOCAL: 256, WILD: 65_535 } as const

export interface XauthorityEntry {
  /** The number of the display. */
  display: number
  hostname: string
  protocol: string
  cookie: Buffer
}

/**
 * A file in the format of Xauthority (libXau, AuWrite.c): numbers of two bytes, the most significant first, and byte
 * strings behind their lengths. A display on loopback is looked up as local, by the host's name; libraries that look
 * it up by its address, or find no name, are served by the other two.
 */
export function encodeXauthority({ display, hostname, protocol, cookie }: XauthorityEntry): Buffer {
  const entry = (family: number, address: Buffer): Buffer[] => [
    uint16(family),
    ...[address, Buffer.from(String(display)), Buffer.from(protocol), cookie].flatMap(counted),
  ]
  return Buffer.concat([
    ...entry(FAMILY.LOCAL, Buffer.from(hostname)),
    ...entry(FAMILY.INTERNET, Buffer.from([127, 0, 0, 1])),
    ...entry(FAMILY.WILD, Buffer.alloc(0)),
  ])
}

function counted(bytes: Buffer): Buffer[] {
  return [uint16(bytes.length), bytes]
}

function uint16(value: number): Buffer {
  const buffer = Buffer.allocUnsafe(2)
  buffer.writeUInt16BE(value)
  return buffer
}
