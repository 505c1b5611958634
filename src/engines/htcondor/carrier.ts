import fs from 'node:fs'
import path from 'node:path'
import { SshjobError } from '../../core/errors.js'
import { HELLO_MAX_BYTES, HTCONDOR_OPEN_TIMEOUT_MS } from '../../core/limits.js'
import { quoteArgument } from './arguments.js'
import type { HtcondorSettings } from './settings.js'
import { queueArguments } from './tools.js'

/** What the carrier's first line begins with. */
const MAGIC = 'sshjob-carrier'
/**
 * What condor_ssh_to_job(1) runs in the place of ssh: tells us the arguments that ssh would have got, on one line and
 * apart by zero bytes, and then becomes the proxy command, whose input and output are the connection to the job. It is
 * a shell's work and not a program's of ours: that would take longer to start than all the rest.
 *
 * HTCondor's proxy tries for ever to write to whoever has gone, with all of a processor. As ssh does, what starts it
 * has to end it: a second after descriptor 3 has come to its end, when the last bytes to the job are on their way.
 */
const SCRIPT = `printf ${MAGIC}; printf "\\0%s" "$@"; echo
for option do
  case $option in
    -oProxyCommand=*)
      { : <&3; } 2>/dev/null && { read -r _ <&3; sleep 1; kill -KILL $$; } </dev/null >/dev/null 2>&1 &
      eval "exec \${option#-oProxyCommand=} 3<&-"
  esac
done
echo "condor_ssh_to_job gave no proxy command." >&2
exit 1`

/** The options of condor_ssh_to_job that make a difference to us. */
export interface CarrierOptions extends HtcondorSettings {
  /** Whether it says on stderr all that it does. */
  debug?: boolean | undefined
  /** Whether an RSA key will do, which takes ssh-keygen long to make. */
  anyKey: boolean
}

export function carrierCommand(id: string, { shells, anyKey, debug, ...queue }: CarrierOptions): string[] {
  return [
    'condor_ssh_to_job',
    ...queueArguments(queue),
    ...(shells === undefined ? [] : ['-shells', shells]),
    ...(debug ? ['-debug'] : []),
    ...(anyKey ? [] : ['-keygen-options', '-t ed25519']),
    '-ssh',
    // A percent sign begins a macro of -ssh.
    `/bin/sh -c ${quoteArgument(SCRIPT).replaceAll('%', '%%')} ${MAGIC}`,
    id,
  ]
}

/** @throws SshjobError 'protocol-error' as soon as the line can't be the carrier's any more */
export function checkCarrierLine(received: Buffer): void {
  const expected = Buffer.from(MAGIC).subarray(0, received.length)
  if (received.subarray(0, expected.length).equals(expected)) return
  throw new SshjobError('protocol-error', 'condor_ssh_to_job ran something else than it was asked to.')
}

/** What is wrong with a first line that did not come, in words of the carrier: to whoever reads it, it is a hello. */
export function describeBrokenLine(error: SshjobError): SshjobError {
  switch (error.code) {
    case 'hello-invalid':
      return new SshjobError(
        'protocol-error',
        `condor_ssh_to_job gave no connection: what it ran wrote more than ${HELLO_MAX_BYTES} bytes without an end of a line.`,
        { cause: error },
      )
    case 'hello-timeout':
      return new SshjobError(
        'unreachable',
        `condor_ssh_to_job made no connection within ${HTCONDOR_OPEN_TIMEOUT_MS / 1_000} s: its schedd, or the machine that the job runs on, does not answer.`,
        { cause: error, retry: true },
      )
    default:
      return error
  }
}

export interface CarrierKeys {
  username?: string
  credentials: { privateKey: string; hostKey: string }
}

/**
 * Reads the keys that the carrier's line leads to. They are in a folder of condor_ssh_to_job, which is this user's
 * alone and goes when the connection does.
 * @throws SshjobError 'protocol-error' where they are not what ssh could use
 */
export function readCarrierKeys(line: Buffer): CarrierKeys {
  const options = new Map<string, string>()
  for (const argument of line.toString().split('\0').slice(1)) {
    const match = /^-o(\w+)=(.*)$/s.exec(argument)
    if (match !== null) options.set(match[1] ?? '', match[2] ?? '')
  }
  const username = options.get('User')
  return {
    ...(username === undefined ? {} : { username }),
    credentials: {
      privateKey: readNamedFile(options, 'IdentityFile'),
      hostKey: parseKnownHosts(readNamedFile(options, 'UserKnownHostsFile')),
    },
  }
}

function readNamedFile(options: ReadonlyMap<string, string>, name: string): string {
  const file = options.get(name)
  if (file === undefined || !path.isAbsolute(file)) throw unusable(`it named no ${name}`)
  try {
    return fs.readFileSync(file, 'utf8')
  } catch (error) {
    throw unusable(`its ${name} can't be read`, error)
  }
}

/** The key of the one host that the file is about: sshd(8) "SSH_KNOWN_HOSTS FILE FORMAT". */
export function parseKnownHosts(text: string): string {
  for (const line of text.split('\n')) {
    const [hosts = '', type, key] = line.trim().split(/\s+/)
    if (hosts === '' || hosts.startsWith('#') || hosts.startsWith('@')) continue
    if (type !== undefined && key !== undefined) return `${type} ${key}`
  }
  throw unusable('its UserKnownHostsFile has no key')
}

function unusable(why: string, cause?: unknown): SshjobError {
  return new SshjobError('protocol-error', `condor_ssh_to_job gave no usable keys: ${why}.`, { cause })
}
