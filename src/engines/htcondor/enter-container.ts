import { lstatSync, readFileSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { SshjobError } from '../../core/errors.js'
import { type JobInside, nothingInside } from '../../job/inside.js'
import type { Job, ProcessRequest } from '../../job/job.js'
import { DEFAULT_PATH } from '../../process/find-program.js'

const NO_WAY =
  "The job runs in a container, and HTCondor gives no way into it here: nothing is run on the host instead. In HTCondor's own configuration, SSH_TO_JOB_SSHD can be set back to sshd."
const ONLY_SHELLS =
  'The job runs in a container, and this version of HTCondor would run the command outside of it, on the host. Start a shell instead, without a command: that runs inside.'
const UNKNOWN =
  "It can't be told whether the job runs in a container, since its first process can't be looked at: nothing is run on the host, which may be outside of it. In HTCondor's own configuration, SSH_TO_JOB_SSHD can be set back to sshd."

/** Names of locales have no more than these: setlocale(3). With a slash, they would be files. */
const LOCALE = /^[\w.@:-]*$/
/** Names of terminals, which would be files as well: term(7). */
const TERM = /^[\w.+-]+$/

/**
 * HTCondor's way into a container: its starter listens there, and runs what it is asked for inside. A link, which the job
 * can put there, may lead to whatever else listens outside.
 */
export function hasContainerSocket(scratch: string): boolean {
  try {
    return lstatSync(join(scratch, '.docker_sock')).isSocket()
  } catch {
    return false
  }
}

/**
 * What condor_docker_enter(1) needs, which connects a session to that socket. It stands outside of the container, and
 * so does the shell that becomes it: neither gets a variable of the job's.
 */
export const OUTSIDE: ReadonlyMap<string, Buffer> = new Map([
  ['PATH', Buffer.from(DEFAULT_PATH)],
  ['CONDOR_CONFIG', Buffer.from('/dev/null')],
])

/**
 * The job in a container, to which HTCondor's own program is the way: this process is outside of it, and whatever it
 * did by itself would be done on the host.
 *
 * HTCondor's forced command is not run. It would read the environment that the starter has saved in the scratch folder,
 * and run what a program in the container has written there.
 * @param outside what runs a shell beside the job, with the variables of OUTSIDE, in the scratch folder
 * @param programs the folder of HTCondor's programs, as its starter has said
 * @param inside what of this process's surroundings is the job's as well
 */
export function onlyByStarter(
  outside: Job,
  { scratch, programs, inside }: { scratch: string; programs: string | undefined; inside: () => JobInside },
): Job {
  return {
    ...outside,
    inside,
    spawn({ command, environment, terminal }: ProcessRequest) {
      if (!hasContainerSocket(scratch) || programs === undefined || !isAbsolute(programs))
        throw refused(NO_WAY)
      const program = join(programs, 'condor_docker_enter')
      if (command !== undefined && !takesCommands(program)) throw refused(ONLY_SHELLS)
      return outside.spawn({
        command: enter(program, command),
        environment: new Map([...environment].filter(isOfLocale)),
        terminal: terminal && { ...terminal, term: TERM.test(terminal.term) ? terminal.term : '' },
      })
    },
  }
}

/** A job of which it is not known whether it runs in a container, so that nobody is let in. */
export function nothingOf(outside: Job): Job {
  return {
    ...outside,
    inside: () => nothingInside(UNKNOWN),
    spawn() {
      throw refused(UNKNOWN)
    },
  }
}

const refused = (why: string): SshjobError => new SshjobError('spawn-failed', why)

/** Names are the client's to choose: all others are dropped. */
function isOfLocale([name, value]: readonly [string, Buffer]): boolean {
  return /^(?:LANG|LC_[A-Z]+)$/.test(name) && LOCALE.test(value.toString('latin1'))
}

/** In 23.9 it takes none, and starts a shell whatever it is told. */
function takesCommands(program: string): boolean {
  try {
    return readFileSync(program).includes('[command ...]')
  } catch {
    return false
  }
}

/** A line for sh, byte for byte. What begins with a dash would be an option, and blanks before it mean nothing. */
function enter(program: string, command: Buffer | undefined): Buffer {
  const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`
  const text = command?.toString('latin1')
  const words = [program, ...(text === undefined ? [] : [text.startsWith('-') ? ` ${text}` : text])]
  return Buffer.from(`exec ${words.map(quote).join(' ')}`, 'latin1')
}
