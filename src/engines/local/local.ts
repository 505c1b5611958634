import type { Engine } from '../engine.js'
import { listLocalJobs, listOrphans, openLocalJob } from './local-jobs.js'

/** The jobs of this user that `sshjob-server` runs on this machine. */
export const local: Engine<'local', object> = {
  name: 'local',
  title: 'this machine',
  flags: {},
  ids: 'they are called as sshjob-server was told',
  removes: false,
  isHere: () => true,

  parse: (text) => ({
    engine: 'local',
    id: text,
    isSlow: false,
    open: async ({ signal, elsewhere }) => ({ stream: await openLocalJob(text, { signal, elsewhere }) }),
    explain: (failure) => Promise.resolve(failure),
  }),

  async list(_settings, { signal, timeoutMs, onFailure }) {
    const [jobs, orphans] = await Promise.all([listLocalJobs({ signal, timeoutMs }), listOrphans()])
    if (orphans.length > 0) {
      const { orphanedJob } = await import('./missing-job.js')
      for (const orphan of orphans) onFailure(orphanedJob(orphan))
    }
    return jobs.map((job) => ({ ...job, state: 'running' }))
  },
}
