import { ENVIRONMENT_AT, VARIABLE } from '../starter-environment.js'

/**
 * What HTCondor starts as its sshd. It is given the job's variables, which may tell Node.js and the libraries that it
 * needs to run other code; but it stands outside of the job, of a container's even. So the server's own environment is
 * made from nothing, and it reads the job's from a descriptor, byte for byte as this shell was started with it.
 *
 * The server is this process in the end, not a child: when a job is removed, HTCondor kills the process that it has
 * started first, and the client is to learn of that before it hears that its command was killed.
 */
export function serverScript(server: readonly string[]): string {
  return `#!/bin/sh
exec ${ENVIRONMENT_AT}<<E
$(/usr/bin/base64 </proc/$$/environ)
E
exec /usr/bin/env -i ${VARIABLE}=${ENVIRONMENT_AT} ${server.join(' ')} "$@"
`
}

/** The command in such a script: a prefix has no blanks. Undefined for another script. */
export function commandIn(script: string): string[] | undefined {
  return /^exec \/usr\/bin\/env -i \S+ (.*) "\$@"$/m.exec(script)?.[1]?.split(' ')
}

/**
 * OpenSSH's own, where it is there when a session begins, starts in a tenth of the time. It makes no key for a user
 * without an account.
 */
export function keygenScript(keygen: readonly string[]): string {
  const [env, openssh] = ['/usr/bin/env -i', '/usr/bin/ssh-keygen']
  return `#!/bin/sh
if [ -x ${openssh} ] && ${env} /usr/bin/id -un >/dev/null 2>&1; then exec ${env} ${openssh} "$@"; fi
exec ${env} ${keygen.join(' ')} "$@"
`
}
