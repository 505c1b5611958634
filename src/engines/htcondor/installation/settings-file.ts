import { SshjobError } from '../../../core/errors.js'

/** Behind those of HTCondor's packages, before an administrator's 99-…. */
export const SETTINGS_FILE = '60-sshjob.conf'
const FIRST_LINE = "# Written by 'sshjob htcondor install'; 'sshjob htcondor uninstall' takes it away."
const PREFIX_LINE = /^# The copy of sshjob that it names is in (.*)\.$/m

/** The programs of a copy, as HTCondor starts them. */
export interface Launchers {
  server: string
  /** Makes a session's key. */
  keygen: string
}

/**
 * HTCondor's configuration for a copy below `prefix`. Keys are ed25519: an RSA key takes longer to make than all the
 * rest of a session's start.
 */
export function formatSettings(prefix: string, { server, keygen }: Launchers): string {
  return `${FIRST_LINE}
# The copy of sshjob that it names is in ${prefix}.
SSH_TO_JOB_SSHD = ${server}
SSH_TO_JOB_SSHD_ARGS = "-i -e -f %f"
SSH_TO_JOB_SSH_KEYGEN = ${keygen}
SSH_TO_JOB_SSH_KEYGEN_ARGS = "-N '' -C '' -q -f %f -t ed25519"
`
}

/** The prefix in a file of ours. @throws SshjobError 'usage' for a file of somebody else */
export function readPrefix(text: string, file: string): string {
  const prefix = text.startsWith(`${FIRST_LINE}\n`) ? PREFIX_LINE.exec(text)?.[1] : undefined
  if (prefix !== undefined) return prefix
  throw new SshjobError('usage', `${file} was not written by 'sshjob htcondor install': it is left alone.`)
}

/** The settings of such a file. */
export function settingsIn(text: string): [name: string, value: string][] {
  return [...text.matchAll(/^(\w+) = (.*)$/gm)].map(([, name = '', value = '']) => [name, value])
}

/** Paths stand in HTCondor's argument lists, where blanks, quotes, $ and % mean something. @throws SshjobError 'usage' */
export function checkPrefix(prefix: string): void {
  if (/^\/[\w./+@:-]+$/.test(prefix)) return
  throw new SshjobError(
    'usage',
    `--prefix takes an absolute path of letters, digits and . _ - + @ : /, not '${prefix}'.`,
  )
}
