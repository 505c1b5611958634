import { readFileSync } from 'node:fs'

/** What ssh2 may be told in one packet, and where it says so. */
const LIMIT = 'const MAX_PACKET_SIZE = 35000;'
/** Where it starts its WebAssembly, which says on stderr why it fails. */
const POLY1305 = "require('./crypto/poly1305.js')()"
/** The file of ssh2 that is mended in the bundles, and in the tests, which run the sources. */
export const MENDED_FILE = /ssh2\/lib\/protocol\/crypto\.js$/

/**
 * Mends two things in ssh2's crypto.js that are out of reach of src/ssh:
 * - it takes packets of 35,000 bytes, which RFC 4253 §6.1 asks for at least. OpenSSH takes 256 KiB (packet.c,
 *   PACKET_MAX_SIZE), and its client sends a command as one packet, however long it is. This is PACKET_RECEIVED_MAX of
 *   src/core/limits.ts.
 * - where the limit of address space is below what V8 reserves for WebAssembly, it says so, in two lines, on the stderr
 *   of a job; src/ssh/ssh2/poly1305.ts does without it then.
 * @param {string} source
 * @returns {string}
 */
export function mendCrypto(source) {
  const bounded = replaceOnce(source, LIMIT, 'const MAX_PACKET_SIZE = 262144;')
  return replaceOnce(bounded, POLY1305, "require('./crypto/poly1305.js')({ printErr() {} })")
}

function replaceOnce(source, text, replacement) {
  const parts = source.split(text)
  if (parts.length !== 2)
    throw new Error(`ssh2's crypto.js does not say '${text}' once: is it another version?`)
  return parts.join(replacement)
}

/** For esbuild. */
export const mendedSsh2 = {
  name: 'mended-ssh2',
  setup(plugin) {
    plugin.onLoad({ filter: MENDED_FILE }, ({ path }) => ({
      contents: mendCrypto(readFileSync(path, 'utf8')),
    }))
  },
}
