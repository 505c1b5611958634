/**
 * Whether this is what condor_ssh_to_job_sshd_setup writes into authorized_keys: HTCondor's script, and the environment
 * that it has saved in the folder of this connection, inside the job's scratch folder.
 */
export function isForcedCommand(command: string, scratch: string): boolean {
  const [script, saved, ...rest] = command.split(' ')
  if (script === undefined || saved === undefined || rest.length > 0) return false
  if (!script.startsWith('/') || !script.endsWith('/condor_ssh_to_job_shell_setup')) return false
  const inScratch = saved.startsWith(`${scratch}/`) ? saved.slice(scratch.length + 1) : ''
  return /^\.condor_ssh_to_job_\d+\/env\.sh$/.test(inScratch)
}
