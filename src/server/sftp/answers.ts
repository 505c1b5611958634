import type { Stats } from '../../job/file-calls.js'
import { type Attributes, encodeAttributes, FXP, makePacket } from '../../ssh/sftp-protocol.js'
import { string, uint32 } from '../../ssh/wire.js'
import type { Status } from './failure.js'

export interface Name {
  name: Buffer
  longName: Buffer
  attributes: Attributes
}

export function statusAnswer(id: number, { code, message }: Status): Buffer {
  return makePacket(FXP.STATUS, uint32(id), uint32(code), string(message), string(''))
}

export function handleAnswer(id: number, handle: Buffer): Buffer {
  return makePacket(FXP.HANDLE, uint32(id), string(handle))
}

export function attributesAnswer(id: number, stats: Stats): Buffer {
  return makePacket(FXP.ATTRS, uint32(id), encodeAttributes(attributesOf(stats)))
}

export function namesAnswer(id: number, names: readonly Name[]): Buffer {
  const parts = names.flatMap(({ name, longName, attributes }) => [
    string(name),
    string(longName),
    encodeAttributes(attributes),
  ])
  return makePacket(FXP.NAME, uint32(id), uint32(names.length), ...parts)
}

/** A path alone, as REALPATH and READLINK answer: a name without attributes. */
export function pathAnswer(id: number, path: Buffer): Buffer {
  return namesAnswer(id, [{ name: path, longName: path, attributes: {} }])
}

export function extendedAnswer(id: number, ...parts: readonly Buffer[]): Buffer {
  return makePacket(FXP.EXTENDED_REPLY, uint32(id), ...parts)
}

export function attributesOf(stats: Stats): Attributes {
  return {
    size: BigInt(stats.size),
    owner: { uid: stats.uid, gid: stats.gid },
    mode: stats.mode,
    times: { atime: Math.floor(stats.atimeMs / 1000), mtime: Math.floor(stats.mtimeMs / 1000) },
  }
}
