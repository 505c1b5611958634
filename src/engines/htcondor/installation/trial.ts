import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { messageOf } from '../../../core/errors.js'
import { runUnprivileged } from './unprivileged.js'

/** The commands and the file that HTCondor's starter makes a session's server from. */
export interface ServerSettings {
  server: readonly string[]
  keygen: readonly string[]
  /** The path of the template of sshd_config. */
  template: string
}

/**
 * Does what the starter does before a session, as a user without rights: makes a key, fills in the template, and has
 * the server check the result. Gives the first thing that fails.
 *
 * All that happens in that user's directory is done by that user's processes, this one only starts them: another process
 * of the same user could put a link in the place of what is there, and root would follow it.
 */
export async function tryServer({
  server,
  keygen,
  template,
}: ServerSettings): Promise<{ what: 'key' | 'server'; why: string } | undefined> {
  // mkdir(1) takes none that is there, and nobody could know the name before.
  const directory = `/tmp/sshjob-doctor-${randomBytes(12).toString('hex')}`
  const key = path.join(directory, 'sshkey')
  const keys = path.join(directory, 'authorized_keys')
  const config = path.join(directory, 'sshd_config')
  let text: string
  try {
    text = fs.readFileSync(template, 'utf8')
  } catch (error) {
    return { what: 'server', why: messageOf(error) }
  }
  const filled = text.replaceAll('_INSERT_HOST_KEY_', key).replaceAll('_INSERT_AUTHORIZED_KEYS_FILE_', keys)
  const made = await runUnprivileged(['/bin/mkdir', '-m', '700', directory])
  if (made.failure !== undefined) return { what: 'key', why: made.failure }
  try {
    const { failure: noKey } = await runUnprivileged(fill(keygen, key))
    if (noKey !== undefined) return { what: 'key', why: noKey }
    const write = ['/bin/sh', '-c', '/bin/cp "$1.pub" "$2" && /bin/cat >"$3"', 'sh', key, keys, config]
    const { failure: unwritten } = await runUnprivileged(write, { input: filled })
    // -t instead of -i: check the configuration, and don't serve.
    const check = fill(server, config).map((word) => (word === '-i' ? '-t' : word))
    const why = unwritten ?? (await runUnprivileged(check)).failure
    return why === undefined ? undefined : { what: 'server', why }
  } finally {
    await runUnprivileged(['/bin/rm', '-rf', directory])
  }
}

/** The macros of SSH_TO_JOB_SSHD_ARGS and SSH_TO_JOB_SSH_KEYGEN_ARGS. */
function fill(command: readonly string[], file: string): string[] {
  return command.map((word) => word.replaceAll(/%([%f])/g, (_, letter) => (letter === 'f' ? file : '%')))
}
