import fs from 'node:fs'
import { userInfo } from 'node:os'
import path from 'node:path'
import { messageOf } from '../../core/errors.js'
import { SOCKET_PATH_MAX_BYTES } from '../../core/limits.js'
import { findSetting, readSetting } from '../../engines/htcondor/configuration.js'
import { readQueue } from '../../engines/htcondor/queue.js'
import { hasTool } from '../../engines/htcondor/tools.js'
import type { Finding } from './doctor.js'

/** The machine where `sshjob 1138.0` and condor_ssh_to_job are called. */
export async function checkAccessPoint(): Promise<Finding[]> {
  return [...(await checkPermission()), await checkQueue(), ...checkClient()]
}

async function checkPermission(): Promise<Finding[]> {
  const value = await readSetting('SCHEDD_ENABLE_SSH_TO_JOB')
  if (value === undefined || /^true$/i.test(value)) return []
  const where = (await findSetting('SCHEDD_ENABLE_SSH_TO_JOB')) ?? 'its defaults'
  if (/^false$/i.test(value)) {
    return [
      {
        level: 'broken',
        text: `SCHEDD_ENABLE_SSH_TO_JOB is false (${where}): this schedd lets nobody into its jobs.`,
        advice: 'Remove that line, then: condor_reconfig',
      },
    ]
  }
  return [{ level: 'trap', text: `SCHEDD_ENABLE_SSH_TO_JOB (${where}) lets into some jobs only: ${value}` }]
}

async function checkQueue(): Promise<Finding> {
  try {
    await readQueue('0.0', {})
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
  if (!hasTool('condor_ssh_to_job')) {
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
    ...checkCopying(),
    ...checkTemporaryFolder(),
  ]
}

/** HTCondor 23.9 gives `-S none` to whatever -ssh names: scp has another -S, and takes ssh to be called 'none'. */
function checkCopying(): Finding[] {
  const folders = (process.env.PATH ?? '').split(path.delimiter)
  const program = folders
    .map((folder) => path.join(folder, 'condor_ssh_to_job'))
    .find((file) => fs.existsSync(file))
  if (program === undefined || !fs.readFileSync(program).includes(' -S none')) return []
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
