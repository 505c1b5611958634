import { parseKey } from '../../../src/ssh/keys.js'
import { sessionKeys } from '../../helpers/raw-peer.js'
import { filler } from '../core/marks.js'

/** Stand in scripts for the points of the keys in use, which are others each time. */
export const HOST_POINT = Buffer.from("<the point of the server's key>!")
export const CLIENT_POINT = Buffer.from("<the point of the client's key>!")
const POINT_BYTES = 32

export type Keys = ReturnType<typeof sessionKeys> & { fill(bytes: Buffer): Buffer }

/** Keys for both ends, and what puts their points where a script has a mark. */
export function freshKeys(): Keys {
  const keys = sessionKeys()
  const pointOf = (key: string): Buffer => parseKey(key).getPublicSSH().subarray(-POINT_BYTES)
  const fill = filler([
    [HOST_POINT, pointOf(keys.client.hostKey)],
    [CLIENT_POINT, pointOf(keys.server.clientPublicKey)],
  ])
  return { ...keys, fill }
}
