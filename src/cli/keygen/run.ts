import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { messageOf, SshjobError } from '../../core/errors.js'
import { RSA_BITS_DEFAULT, RSA_BITS_MAX, RSA_BITS_MIN } from '../../core/limits.js'
import { printable } from '../../core/printable.js'
import { VERSION } from '../../core/version.js'
import { readAccount } from '../../job/account.js'
import {
  bitsOfKey,
  generateKey,
  generateRsaKey,
  type KeyPair,
  type ParsedKey,
  parseKey,
  publicLine,
} from '../../ssh/keys.js'
import { parseArguments, usage as usageOf } from '../arguments/options.js'
import { refuseForeignFile } from '../foreign-file.js'
import { helpText } from '../manual/help-text.js'
import { manual } from '../manual/keygen.js'
import { KEYGEN_OPTIONS } from './options.js'
import { writeKeyPair } from './write-key-pair.js'

const PROGRAM = 'sshjob-keygen'

type OptionName = keyof typeof KEYGEN_OPTIONS

/**
 * Makes a pair of keys as ssh-keygen(1) does, for machines that have none, or shows one. Gives what to print.
 * @throws SshjobError 'usage' for options that are wrong or not there, and for files that are in the way;
 * 'unsafe-directory' where root would write into another user's directory
 */
export async function runKeygen(args: readonly string[]): Promise<string> {
  const { given, operands } = parseArguments(args, KEYGEN_OPTIONS, PROGRAM)
  const values = new Map<OptionName, string>(given.map(({ name, value = '' }) => [name, value]))
  if (values.has('help')) return helpText(manual)
  if (values.has('version')) return `${PROGRAM} ${VERSION}\n`
  if (operands.length > 0) throw usage(`'${operands[0]}' is no option.`)
  const file = values.get('file') ?? ''
  if (file === '') throw usage('The name of the key is missing: -f FILE.')
  if (values.has('public')) return showPublic(file)
  if (values.has('fingerprint')) return `${describeKey(readKey(file))}\n`
  if ((values.get('passphrase') ?? '') !== '') throw usage("Passphrases are not supported: -N ''.")
  const comment = values.get('comment') ?? `${readAccount().name}@${hostname()}`
  if (/[\r\n\0]/.test(comment)) throw usage('A comment is one line.')
  const pair = generate(values.get('type') ?? 'ed25519', values.get('bits'), comment)
  await refuseForeignFile(file)
  writeKeyPair(file, pair)
  if (values.has('quiet')) return ''
  return `Your key is in ${file}, its public half in ${file}.pub.\n${describeKey(parseKey(pair.publicKey))}\n`
}

function generate(type: string, bits: string | undefined, comment: string): KeyPair {
  if (type === 'ed25519') return generateKey(comment)
  if (type !== 'rsa') throw usage(`There are no keys of the type '${type}': ed25519 or rsa.`)
  const length = bits === undefined ? RSA_BITS_DEFAULT : Number(bits)
  if (!Number.isInteger(length) || length < RSA_BITS_MIN || length > RSA_BITS_MAX) {
    throw usage(`An rsa key has ${RSA_BITS_MIN} to ${RSA_BITS_MAX} bits, not '${bits}'.`)
  }
  return generateRsaKey(length, comment)
}

function showPublic(file: string): string {
  const key = readKey(file)
  if (!key.isPrivateKey()) throw new SshjobError('usage', `${file} holds no private key.`)
  return `${`${publicLine(key)} ${key.comment}`.trim()}\n`
}

/** '3072 SHA256:… comment (RSA)', as ssh-keygen -l. */
function describeKey(key: ParsedKey): string {
  const blob = key.getPublicSSH()
  const digest = createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')
  const type = key.type.replace(/^ssh-/, '').replace(/-sha2-.*$/, '')
  return `${bitsOfKey(blob)} SHA256:${digest} ${key.comment === '' ? 'no comment' : printable(key.comment)} (${type.toUpperCase()})`
}

function readKey(file: string): ParsedKey {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new SshjobError('usage', `${file} can't be read: ${messageOf(error)}.`, { cause: error })
  }
  return parseKey(text)
}

function usage(problem: string): SshjobError {
  return usageOf(problem, PROGRAM)
}
