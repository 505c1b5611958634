import { readFileSync, readlinkSync, statSync } from 'node:fs'
import { SshjobError, systemCode } from '../../core/errors.js'
import { JOB_PIDS_MAX } from '../../core/limits.js'
import type { Job, ProcessRequest } from '../../job/job.js'
import { listTree } from '../../process/process-tree.js'
import { hasContainerSocket, parseForcedCommand, takesCommandsInside } from './forced-command.js'
import { isTrue, type JobAd } from './job-ad.js'

/** Attributes of a job that asks for a container, condor_submit(1). */
const WANTED = ['WantContainer', 'WantDocker', 'WantSIF', 'WantDockerImage', 'WantSandboxImage']
const IMAGES = ['ContainerImage', 'DockerImage', 'SingularityImage']

/**
 * Whether the job runs in a container, in which this process, started by HTCondor beside the job, is not. An
 * administrator can put jobs into containers that did not ask for one, so the job's processes are looked at as well.
 */
export function isInContainer(scratch: string, ad: JobAd, pids: readonly number[]): boolean {
  if (hasContainerSocket(scratch)) return true
  if (WANTED.some((name) => isTrue(ad, name)) || IMAGES.some((name) => ad.has(name))) return true
  return pids.some(isElsewhere)
}

/** Whether a process has another root folder or other users than we have, user_namespaces(7). */
function isElsewhere(pid: number): boolean {
  try {
    const root = statSync(`/proc/${pid}/root/`)
    const ours = statSync('/')
    return root.dev !== ours.dev || root.ino !== ours.ino
  } catch (error) {
    if (systemCode(error) !== 'EACCES') return false // it has ended
  }
  // Of a program that may be run and not read, say, only this much is shown, proc(5).
  return users(pid) !== users('self') || pidNamespaces(pid) !== pidNamespaces('self')
}

const users = (pid: number | 'self'): string => readProcess(pid, 'uid_map')

const pidNamespaces = (pid: number | 'self'): number =>
  (/^NSpid:(.*)$/m.exec(readProcess(pid, 'status'))?.[1] ?? '').split('\t').length

function readProcess(pid: number | 'self', file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1')
  } catch {
    return ''
  }
}

/**
 * Lines of sshd_config(5) for a job in a container: what this process would connect to for its sessions is the host's.
 * A unix socket is a file, and files are the host's in any case; a port is only where the job has another network.
 */
export function containerSettings(pids: readonly number[]): string[] {
  const network = networkOf('self')
  const shared = network !== undefined && pids.length > 0 && pids.every((pid) => isOnNetwork(pid, network))
  return ['AllowStreamLocalForwarding no', ...(shared ? [] : ['AllowTcpForwarding no', 'X11Forwarding no'])]
}

/**
 * Of the job's first process, only what it has started inside the container counts. Docker's client, which HTCondor
 * starts, is outside and has nothing inside: its network says nothing of the job's.
 */
function isOnNetwork(pid: number, network: string): boolean {
  const inside = listTree(pid, JOB_PIDS_MAX).filter(isElsewhere)
  return inside.length > 0 && inside.every((process) => networkOf(process) === network)
}

/** network_namespaces(7); undefined where we may not know. */
function networkOf(pid: number | 'self'): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`)
  } catch {
    return undefined
  }
}

/**
 * The same job with only HTCondor's own way in left, its forced command: this process is outside of the container,
 * and whatever else it did would be done on the host.
 */
export function onlyByForcedCommand(job: Job, scratch: string): Job {
  function check({ command, environment }: ProcessRequest): void {
    const forced = parseForcedCommand(command?.toString() ?? '', scratch)
    if (forced === undefined || !hasContainerSocket(scratch)) {
      throw new SshjobError(
        'spawn-failed',
        "The job runs in a container, and HTCondor gives no way into it here: nothing is run on the host instead. In HTCondor's own configuration, SSH_TO_JOB_SSHD can be set back to sshd.",
      )
    }
    if (environment.has('SSH_ORIGINAL_COMMAND') && !takesCommandsInside(forced.script)) {
      throw new SshjobError(
        'spawn-failed',
        'The job runs in a container, and this version of HTCondor would run the command outside of it, on the host. Start a shell instead, without a command: that runs inside.',
      )
    }
  }
  const { files: _, ...rest } = job
  return {
    ...rest,
    spawn(request) {
      check(request)
      return job.spawn(request)
    },
  }
}
