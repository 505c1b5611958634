import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/**
 * What condor_ssh_to_job_sshd_setup writes into authorized_keys: HTCondor's script, and the environment that it has
 * saved in the folder of this connection, inside the job's scratch folder.
 */
export function parseForcedCommand(command: string, scratch: string): { script: string } | undefined {
  const [script, saved, ...rest] = command.split(' ')
  if (script === undefined || saved === undefined || rest.length > 0) return undefined
  if (!script.startsWith('/') || !script.endsWith('/condor_ssh_to_job_shell_setup')) return undefined
  const inScratch = saved.startsWith(`${scratch}/`) ? saved.slice(scratch.length + 1) : ''
  return /^\.condor_ssh_to_job_\d+\/env\.sh$/.test(inScratch) ? { script } : undefined
}

/** HTCondor's way into a container: its starter listens there, and runs what it is asked for inside. */
export function hasContainerSocket(scratch: string): boolean {
  try {
    return statSync(join(scratch, '.docker_sock')).isSocket()
  } catch {
    return false
  }
}

/**
 * Whether HTCondor's script takes commands into the container. That of 23.9 does so with shells alone, and runs
 * commands outside, on the host.
 */
export function takesCommandsInside(script: string): boolean {
  try {
    return /^[^#\n]*condor_docker_enter["']? +"\$\{?SSH_ORIGINAL_COMMAND\}?"/m.test(
      readFileSync(script, 'utf8'),
    )
  } catch {
    return false
  }
}
