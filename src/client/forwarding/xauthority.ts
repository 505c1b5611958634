import { isIPv4 } from 'node:net'
import { MIT_MAGIC_COOKIE } from './x11-setup.js'

/** Families of Xau's Xauth.h and X.h. */
const FAMILY = { INTERNET: 0, INTERNET6: 6, LOCAL: 256, WILD: 65_535 } as const

/** 127.0.0.0/8 and ::1. */
const LOOPBACK = /^(127\.|::1$|::ffff:127\.)/

export interface WantedDisplay {
  number: number
  /** The address that it was reached at; undefined for a unix socket. */
  address: string | undefined
  /** The name of this machine, under which its own displays are. */
  hostname: string
}

/**
 * The cookie for a display in a file of Xauthority's format (libXau, AuRead.c and AuGetBest.c): numbers of two bytes,
 * the most significant first, and byte strings behind their lengths. What is behind a broken entry is not read.
 */
export function findCookie(file: Buffer, wanted: WantedDisplay): Buffer | undefined {
  for (const entry of readEntries(file)) {
    const [address, number, protocol, cookie] = entry.fields
    if (protocol?.toString('latin1') !== MIT_MAGIC_COOKIE || cookie === undefined) continue
    // An entry without a number is for every display of its host.
    if (number !== undefined && number.length > 0 && number.toString('latin1') !== String(wanted.number))
      continue
    if (address !== undefined && isOfHost(entry.family, address, wanted)) return cookie
  }
  return undefined
}

/** The cookie of the last entry, of whatever display. */
export function lastCookie(file: Buffer): Buffer | undefined {
  let last: Buffer | undefined
  for (const { fields } of readEntries(file)) {
    if (fields[2]?.toString('latin1') === MIT_MAGIC_COOKIE) last = fields[3]
  }
  return last
}

function isOfHost(family: number, entry: Buffer, { address, hostname }: WantedDisplay): boolean {
  if (family === FAMILY.WILD) return true
  // As Xlib: what is on loopback is this machine's, by its name.
  if (address === undefined || LOOPBACK.test(address)) {
    return family === FAMILY.LOCAL && entry.toString('utf8') === hostname
  }
  return family === (isIPv4(address) ? FAMILY.INTERNET : FAMILY.INTERNET6) && entry.equals(bytesOf(address))
}

/** An address as it is on the wire. */
function bytesOf(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number))
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::')
  const words = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((word) => Number.parseInt(word, 16))
  const [first, last] = [words(head), words(tail ?? '')]
  const all = [...first, ...Array<number>(8 - first.length - last.length).fill(0), ...last]
  return Buffer.from(all.flatMap((word) => [word >> 8, word & 0xff]))
}

function* readEntries(file: Buffer): Generator<{ family: number; fields: Buffer[] }> {
  for (let at = 0; at + 2 <= file.length; ) {
    const family = file.readUInt16BE(at)
    at += 2
    const fields: Buffer[] = []
    while (fields.length < 4) {
      if (at + 2 > file.length) return
      const end = at + 2 + file.readUInt16BE(at)
      if (end > file.length) return
      fields.push(file.subarray(at + 2, end))
      at = end
    }
    yield { family, fields }
  }
}
