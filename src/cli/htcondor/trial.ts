import fs from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { firstLine, messageOf } from '../../core/errors.js'
import { HTCONDOR_TOOL_TIMEOUT_MS } from '../../core/limits.js'
import { runHelper } from '../../process/helpers.js'

/** Somebody without any rights, as far as running a program is concerned. */
const NOBODY = 65_534

/** The commands and the file that HTCondor's starter makes a session's server from. */
export interface ServerSettings {
  server: readonly string[]
  keygen: readonly string[]
  /** The path of the template of sshd_config. */
  template: string
}

/** Runs a program as one of the users that jobs run as, if we can. @throws what runHelper() throws */
export function runAsUser([file = '', ...args]: readonly string[], cwd = '/'): void {
  const user = process.geteuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {}
  runHelper(file, args, { ...user, cwd, env: {}, stdio: 'pipe', timeout: HTCONDOR_TOOL_TIMEOUT_MS })
}

/** Why a program failed, on one line. */
export function failureOf(error: unknown): string {
  const stderr: unknown =
    typeof error === 'object' && error !== null && 'stderr' in error ? error.stderr : undefined
  const text = Buffer.isBuffer(stderr) || typeof stderr === 'string' ? String(stderr) : ''
  // Node.js shows the place in the source first.
  return (
    /^\w*Error: .*/m.exec(text)?.[0] ?? firstLine(text) ?? firstLine(messageOf(error)) ?? 'it ended at once'
  )
}

/**
 * Does what the starter does before a session, in a folder of its own: makes a key, fills in the template, and has the
 * server check the result. Gives the first thing that fails.
 */
export function tryServer(settings: ServerSettings): { what: 'key' | 'server'; why: string } | undefined {
  const folder = fs.mkdtempSync(path.join(tmpdir(), 'sshjob-doctor-'))
  try {
    if (process.geteuid?.() === 0) fs.chownSync(folder, NOBODY, NOBODY)
    return tryIn(folder, settings)
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

function tryIn(folder: string, { server, keygen, template }: ServerSettings): ReturnType<typeof tryServer> {
  const key = path.join(folder, 'sshkey')
  const keys = path.join(folder, 'authorized_keys')
  const config = path.join(folder, 'sshd_config')
  try {
    runAsUser(fill(keygen, key), folder)
  } catch (error) {
    return { what: 'key', why: failureOf(error) }
  }
  try {
    fs.copyFileSync(`${key}.pub`, keys)
    const text = fs.readFileSync(template, 'utf8')
    fs.writeFileSync(
      config,
      text.replaceAll('_INSERT_HOST_KEY_', key).replaceAll('_INSERT_AUTHORIZED_KEYS_FILE_', keys),
    )
    // -t instead of -i: check the configuration, and don't serve.
    const command = fill(server, config).map((word) => (word === '-i' ? '-t' : word))
    runAsUser(command, folder)
    return undefined
  } catch (error) {
    return { what: 'server', why: failureOf(error) }
  }
}

/** The macros of SSH_TO_JOB_SSHD_ARGS and SSH_TO_JOB_SSH_KEYGEN_ARGS. */
function fill(command: readonly string[], file: string): string[] {
  return command.map((word) => word.replaceAll(/%([%f])/g, (_, letter) => (letter === 'f' ? file : '%')))
}
