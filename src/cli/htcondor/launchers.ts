import { SET_ASIDE, setAside } from '../../engines/htcondor/set-aside.js'

const APART = SET_ASIDE.map(
  (name) => `if [ -n "\${${name}+set}" ]; then export ${setAside(name)}="$${name}"; unset ${name}; fi\n`,
).join('')

/** What HTCondor starts as its sshd: `server` without what the job has set for Node.js programs of its own. */
export function serverScript(server: readonly string[]): string {
  return `#!/bin/sh\n${APART}exec ${server.join(' ')} "$@"\n`
}

/** The command in such a script: a prefix has no blanks. */
export function commandIn(script: string): string[] {
  return (/^exec (.*) "\$@"$/m.exec(script)?.[1] ?? '').split(' ')
}

/** OpenSSH's own, where it is there when a session begins, starts in a tenth of the time. */
export function keygenScript(keygen: readonly string[]): string {
  return `#!/bin/sh\n[ -x /usr/bin/ssh-keygen ] && exec /usr/bin/ssh-keygen "$@"\n${APART}exec ${keygen.join(' ')} "$@"\n`
}
