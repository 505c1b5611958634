import { readlinkSync, statSync } from 'node:fs'
import { systemCode } from '../../core/errors.js'
import { JOB_PIDS_MAX } from '../../core/limits.js'
import { listTree } from '../../process/process-tree.js'
import { hasContainerSocket } from './enter-container.js'
import { isTrue, type JobAd } from './job-ad.js'

/** Attributes of a job that asks for a container, condor_submit(1). */
const WANTED = ['WantContainer', 'WantDocker', 'WantSIF', 'WantDockerImage', 'WantSandboxImage']
const IMAGES = ['ContainerImage', 'DockerImage', 'SingularityImage']

/** Where the job is, as seen from this process, which HTCondor has started beside it. */
export type Place = 'here' | 'in a container' | 'unknown'

/**
 * Decided by what the job can't write: HTCondor starts the job's first process, here or as the runtime of a container
 * (Docker's client, which is another user's; Apptainer, in a user namespace or with more rights than the job has), and
 * the kernel says which of them it is. What that starts may be in a container of the job's own making.
 *
 * The scratch folder is the job's to write to, in its container as well: what is found there counts only if it says
 * that there is a container.
 * @param pids of the job, its first process first, as the starter has said
 */
export function placeOf(scratch: string, ad: JobAd, pids: readonly number[]): Place {
  if (hasContainerSocket(scratch)) return 'in a container'
  if (WANTED.some((name) => isTrue(ad, name)) || IMAGES.some((name) => ad.has(name))) return 'in a container'
  const seen = pids.map(look)
  if (seen.includes('elsewhere')) return 'in a container'
  return seen[0] === 'here' && !seen.includes('hidden') ? 'here' : 'unknown'
}

/** Whether a process has our root folder, and our users: user_namespaces(7). */
function look(pid: number): 'here' | 'elsewhere' | 'hidden' | 'gone' {
  try {
    const users = usersOf('self')
    const same = !hasOtherRoot(pid) && (users === undefined || usersOf(pid) === users)
    return same ? 'here' : 'elsewhere'
  } catch (error) {
    // Of a program with more rights, or that may be run and not read, nothing is shown: ptrace(2), proc(5).
    const code = systemCode(error)
    return code === 'ENOENT' || code === 'ESRCH' ? 'gone' : 'hidden'
  }
}

function hasOtherRoot(pid: number): boolean {
  const root = statSync(`/proc/${pid}/root/`)
  const ours = statSync('/')
  return root.dev !== ours.dev || root.ino !== ours.ino
}

/** Undefined of ourselves where the kernel has no such namespaces. */
function usersOf(pid: number | 'self'): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/user`)
  } catch (error) {
    if (pid === 'self' && systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}

/**
 * Whether what this process would connect to is what the container has: where the job's processes are seen to have our
 * network, as Apptainer's do.
 */
export function sharesNetwork(pids: readonly number[]): boolean {
  const network = networkOf('self')
  return network !== undefined && pids.length > 0 && pids.every((pid) => isOnNetwork(pid, network))
}

/**
 * Of the job's first process, only what it has started inside the container counts. Docker's client, which HTCondor
 * starts, is outside and has nothing inside: its network says nothing of the job's.
 */
function isOnNetwork(pid: number, network: string): boolean {
  const inside = listTree(pid, JOB_PIDS_MAX).filter(isInside)
  return inside.length > 0 && inside.every((process) => networkOf(process) === network)
}

/** By its root folder alone: Apptainer's own process has other users, and is not in the container. */
function isInside(pid: number): boolean {
  try {
    return hasOtherRoot(pid)
  } catch {
    return false // it has ended, or can't be looked at
  }
}

/** network_namespaces(7); undefined where we may not know. */
function networkOf(pid: number | 'self'): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`)
  } catch {
    return undefined
  }
}
