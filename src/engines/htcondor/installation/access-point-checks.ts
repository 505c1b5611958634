import { readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import path from 'node:path'
import { messageOf } from '../../../core/errors.js'
import { SOCKET_PATH_MAX_BYTES } from '../../../core/limits.js'
import { readQueue } from '../queue.js'
import { findTool } from '../tools.js'
import { checkEnabled } from './check-enabled.js'
import type { Finding } from './finding.js'

/** The machine where `sshjob 1138.0` and condor_ssh_to_job are called. */
export async function checkAccessPoint(): Promise<Finding[]> {
  const whenFalse = {
    text: 'this schedd lets nobody into its jobs.',
    advice: 'Remove that line, then: condor_reconfig',
  }
  return [
    ...(await checkEnabled('SCHEDD_ENABLE_SSH_TO_JOB', whenFalse)),
    await checkQueue(),
    ...checkClient(),
  ]
}

async function checkQueue(): Promise<Finding> {
  try {
    await readQueue('0.0', {}, {})
    return { level: 'ok', text: 'The schedd answers.' }
  } catch (error) {
    return {
      level: 'broken',
      text: messageOf(error),
      advice: 'See whether HTCondor runs (condor_status -schedd), and whether you may ask it (condor_ping).',
    }
  }
}

function checkClient(): Finding[] {
  const program = findTool('condor_ssh_to_job')
  if (program === undefined) {
    return [
      {
        level: 'broken',
        text: 'condor_ssh_to_job is not in PATH: jobs can only be entered through it.',
        advice: "Add the folder of HTCondor's programs to PATH.",
      },
    ]
  }
  return [
    { level: 'ok', text: 'condor_ssh_to_job is in PATH.' },
    ...checkCopying(program),
    ...checkTemporaryFolder(),
  ]
}

/** HTCondor 23.9 gives `-S none` to whatever -ssh names: scp has another -S, and takes ssh to be called 'none'. */
function checkCopying(program: string): Finding[] {
  if (!readFileSync(program).includes(' -S none')) return []
  return [
    {
      level: 'trap',
      text: "condor_ssh_to_job passes '-S none' on, so that with it -ssh scp and -ssh sftp fail.",
      advice: "Copy with 'sshjob cp', which works.",
    },
  ]
}

/** Its socket lies in a folder with a long name, and a path may have 107 bytes, unix(7). */
function checkTemporaryFolder(): Finding[] {
  const folder = process.env.TMP ?? '/tmp'
  const name = path.join(folder, `${userInfo().username}.condor_ssh_to_job_ffffffff`, 'fdpass')
  if (Buffer.byteLength(name) <= SOCKET_PATH_MAX_BYTES) return []
  return [
    {
      level: 'broken',
      text: `TMP is too long a path for condor_ssh_to_job: ${folder}`,
      advice: 'Set TMP=/tmp.',
    },
  ]
}
