import { rmSync, writeFileSync } from 'node:fs'
import { messageOf, SshjobError, systemCode } from '../../core/errors.js'
import type { KeyPair } from '../../ssh/keys.js'

/**
 * Writes both halves, the private one for this user alone. Neither is written over one that is there, and of a pair
 * that can't be written whole nothing stays.
 * @throws SshjobError 'usage' with the name of the file
 */
export function writeKeyPair(file: string, { privateKey, publicKey }: KeyPair): void {
  write(file, privateKey, 0o600)
  try {
    write(`${file}.pub`, `${publicKey}\n`, 0o644)
  } catch (error) {
    rmSync(file, { force: true })
    throw error
  }
}

function write(file: string, text: string, mode: number): void {
  try {
    writeFileSync(file, text, { mode, flag: 'wx' })
  } catch (error) {
    const isThere = systemCode(error) === 'EEXIST'
    const why = isThere ? 'it is there already, remove it first' : messageOf(error)
    throw new SshjobError('usage', `${file} can't be written: ${why}.`, { cause: error })
  }
}
