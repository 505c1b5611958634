import crypto from 'ssh2/lib/protocol/crypto.js'

/**
 * Whether ChaCha20-Poly1305 can be computed, once that is known. Without ssh2's native ciphers, its Poly1305 is
 * WebAssembly, for which V8 reserves 10 GB of address space: where that is limited (`ulimit -v`, h_vmem of SGE), this
 * cipher is not offered, and the others do.
 */
export const hasPoly1305: Promise<boolean> = crypto.init.then(
  () => true,
  () => crypto.bindingAvailable,
)
