import { isAbsolute, join } from 'node:path'
import { systemCode } from '../../core/errors.js'
import { type Environment, makeJobEnvironment } from '../../job/environment.js'
import type { Job } from '../../job/job.js'
import { localJob } from '../../job/local-job.js'
import { DEFAULT_PATH } from '../../process/find-program.js'
import type { ServedJob } from '../engine.js'
import { placeOf, sharesNetwork } from './container.js'
import { nothingOf, OUTSIDE, onlyByStarter } from './enter-container.js'
import { isForcedCommand } from './forced-command.js'
import { besideServer, outsideOfContainer } from './inside.js'
import { isTrue, type JobAd, numberOf, readJobAd, textOf } from './job-ad.js'

/** Of the server that HTCondor's starter starts, not of the job. DISPLAY is that of another session, if any. */
const NOT_OF_THE_JOB = ['LD_PRELOAD', 'CONDOR_SSH_TO_JOB_FAKE_PASSWD_ENTRY', 'DISPLAY']
/** HTCondor's script, which is bash's, evaluates a command itself; only shells are the user's choice. */
const COMMAND_SHELLS = ['/bin/bash', '/usr/bin/bash']

/**
 * The job of HTCondor whose starter started this process for condor_ssh_to_job, as the server to enter it; undefined
 * outside of one. Does what condor_ssh_to_job_shell_setup does, without saving and reading the environment again.
 * @param environment what the starter has given to this process
 */
export function htcondorJob(environment: Environment): ServedJob | undefined {
  const text = (name: string): string | undefined => environment.get(name)?.toString()
  const scratch = text('_CONDOR_SCRATCH_DIR') ?? ''
  if (!isAbsolute(scratch)) return undefined
  const ad = readJobAd(join(scratch, '.job.ad'))
  let pids = (text('_CONDOR_JOB_PIDS') ?? '')
    .split(/\s+/)
    .filter((pid) => /^[1-9]\d*$/.test(pid))
    .map(Number)

  const shell = text('_CONDOR_SHELL')
  const since = numberOf(ad, 'JobCurrentStartDate')
  const facts = {
    id: `${ad.get('ClusterId') ?? 'htcondor'}.${ad.get('ProcId') ?? '0'}`,
    command: [textOf(ad, 'Cmd')].filter((word) => word !== undefined),
    pids: () => pids,
    ...(since === undefined ? {} : { since: new Date(since * 1000) }),
  }

  function findJob(): Pick<ServedJob, 'job' | 'isOutside'> {
    const place = placeOf(scratch, ad, pids)
    if (place === 'here') {
      const inside = localJob({
        ...facts,
        environment: jobEnvironment(environment),
        directory: [text('_CONDOR_JOB_IWD') ?? scratch, scratch],
        shells: shell ? [shell] : [],
      })
      return { job: outsideContainers(inside, ad, takeOver), isOutside: false }
    }
    const outside = localJob({ ...facts, environment: OUTSIDE, directory: scratch, shells: ['/bin/sh'] })
    if (place === 'unknown') return { job: nothingOf(outside), isOutside: true }
    const isShared = sharesNetwork(pids)
    const job = onlyByStarter(outside, {
      scratch,
      programs: text('_CONDOR_BIN'),
      inside: () => outsideOfContainer(outside.inside?.(), isShared),
    })
    return { job, isOutside: true }
  }

  /** The session takes the place of the process that an interactive job waits with. */
  function takeOver(): void {
    for (const pid of pids) endPlaceholder(pid)
    pids = []
  }

  return {
    ...findJob(),
    greeting: () => greet({ slot: text('_CONDOR_SLOT_NAME'), pids, timeout: text('TMOUT') }),
    replacesForcedCommand: (command) => isForcedCommand(command, scratch),
  }
}

function jobEnvironment(environment: Environment): Map<string, Buffer> {
  const made = makeJobEnvironment(environment)
  for (const name of NOT_OF_THE_JOB) made.delete(name)
  // As with sshd, where the job has none.
  if (!made.has('PATH')) made.set('PATH', Buffer.from(DEFAULT_PATH))
  return made
}

function outsideContainers(job: Job, ad: JobAd, takeOver: () => void): Job {
  const begin = isTrue(ad, 'InteractiveJob') ? takeOver : () => undefined
  const { inside } = job
  return {
    ...job,
    spawn(request) {
      begin()
      if (request.command === undefined) return job.spawn(request)
      return job.spawn({ ...request, shells: [...(request.shells ?? []), ...COMMAND_SHELLS] })
    },
    ...(inside && { inside: () => besideServer(inside(), begin) }),
  }
}

function endPlaceholder(pid: number): void {
  try {
    process.kill(pid, 'SIGTERM')
  } catch (error) {
    if (systemCode(error) !== 'ESRCH' && systemCode(error) !== 'EPERM') throw error
  }
}

/** As condor_ssh_to_job_shell_setup words it. */
function greet(of: {
  slot: string | undefined
  pids: readonly number[]
  timeout: string | undefined
}): string {
  const lines: string[] = []
  if (of.slot) lines.push(`Welcome to ${of.slot}!`)
  if (of.pids.length > 0) lines.push(`Your condor job is running with pid(s) ${of.pids.join(' ')}.`)
  if (of.timeout) lines.push(`You will be logged out after ${of.timeout} seconds of inactivity.`)
  return lines.map((line) => `${line}\n`).join('')
}
