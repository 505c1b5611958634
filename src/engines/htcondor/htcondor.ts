import { ENGINE_RETRY_MAX_MS, ENGINE_RETRY_MIN_MS } from '../../core/limits.js'
import type { Engine, JobAddress } from '../engine.js'
import { explainFailure } from './explain.js'
import { recogniseJobId } from './job-id.js'
import { describeJob } from './job-state.js'
import { openHtcondorJob } from './open.js'
import { enclosingJob } from './own-ad.js'
import { readQueue } from './queue.js'
import { removeJob } from './remove.js'
import { FLAGS, type HtcondorSettings } from './settings.js'
import { findTool } from './tools.js'

/** HTCondor, by its own programs: they know the pool, its security, and how to reach an execution point. */
export const htcondor: Engine<'htcondor', HtcondorSettings> = {
  name: 'htcondor',
  title: 'HTCondor',
  prefix: 'htcondor',
  flags: FLAGS,
  ids: 'they have numbers',
  example: ['sshjob 1138.0', 'a job of HTCondor'],
  removes: true,
  isHere: () => findTool('condor_ssh_to_job') !== undefined,
  absence: 'HTCondor, whose jobs have such names, has no programs in PATH here (condor_ssh_to_job)',

  parse(text, settings) {
    const id = recogniseJobId(text)
    return id === undefined ? undefined : address(id, settings, text)
  },

  async list(queue, options) {
    return (await readQueue(undefined, queue, options)).flatMap(describeJob)
  },

  enclosing: enclosingJob,
  async serving(variables) {
    // What spawns in a job is not for those who only enter one: it takes longer to load than all the rest.
    const [{ htcondorJob }, { readStarterEnvironment }] = await Promise.all([
      import('./job.js'),
      import('./starter-environment.js'),
    ])
    return htcondorJob(readStarterEnvironment(variables))
  },
}

/** @param text what the user calls it */
function address(id: string, settings: HtcondorSettings, text: string): JobAddress {
  return {
    engine: 'htcondor',
    id,
    isSlow: true,
    retry: { intervalMs: ENGINE_RETRY_MIN_MS, maxIntervalMs: ENGINE_RETRY_MAX_MS },
    // ssh has read its key before we could give it the one that comes with the connection.
    noStockClient: `OpenSSH can't be carried to job ${text}, whose key comes with the connection: use 'sshjob ${text}', 'sshjob cp', or condor_ssh_to_job -ssh.`,
    open: (options) => openHtcondorJob(id, settings, options),
    explain: (failure, options) => explainFailure(id, settings, failure, options),
    remove: () => removeJob(id, settings),
  }
}
