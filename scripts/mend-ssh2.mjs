import { readFileSync } from 'node:fs'

/** What ssh2 may be told in one packet, and where it says so. */
const LIMIT = 'const MAX_PACKET_SIZE = 35000;'
/** The file of ssh2 that is mended in the bundles, and in the tests, which run the sources. */
export const MENDED_FILE = /ssh2\/lib\/protocol\/crypto\.js$/

/**
 * ssh2 takes packets of 35,000 bytes, which RFC 4253 §6.1 asks for at least. OpenSSH takes 256 KiB (packet.c,
 * PACKET_MAX_SIZE), and its client sends a command as one packet, however long it is. The limit is a constant inside of
 * ssh2's file, out of reach of src/ssh: it is PACKET_RECEIVED_MAX of src/core/limits.ts.
 * @param {string} source
 * @returns {string}
 */
export function mendPacketLimit(source) {
  const parts = source.split(LIMIT)
  if (parts.length !== 2)
    throw new Error(`ssh2's crypto.js does not say '${LIMIT}' once: is it another version?`)
  return parts.join('const MAX_PACKET_SIZE = 262144;')
}

/** For esbuild. */
export const mendedSsh2 = {
  name: 'mended-ssh2',
  setup(plugin) {
    plugin.onLoad({ filter: MENDED_FILE }, ({ path }) => ({
      contents: mendPacketLimit(readFileSync(path, 'utf8')),
    }))
  },
}
