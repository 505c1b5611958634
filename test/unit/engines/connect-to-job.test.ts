import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs/promises'
import path from 'node:path'
import { connectToJob, listJobs } from '../../../src/index.js'
import { SSHJOB_SERVER } from '../../helpers/programs.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

/** Answers as the real ones do, from the files 'queue' and 'history'. Those are tested in test/engines. */
const CONDOR_Q = `#!/bin/sh
[ ! -e "$0.broken" ] || { echo "Failed to fetch ads from: <127.0.0.1:9618>" >&2; exit 1; }
cat "$(dirname "$0")/../queue"
`
const CONDOR_HISTORY = '#!/bin/sh\ncat "$(dirname "$0")/../history"\n'
const CONDOR_SSH_TO_JOB = '#!/bin/sh\necho "Job is not running." >&2\nexit 1\n'

const IDLE = { ClusterId: 1138, ProcId: 0, JobStatus: 1, Owner: 'ada', Cmd: '/bin/sleep', Args: '60' }
const HELD = { ...IDLE, ClusterId: 1139, JobStatus: 5, HoldReason: 'no such file' }

describe('the library, of jobs here and in a queue', () => {
  const folder = temporaryDirectory()
  const saved = { ...process.env }
  const file = (name: string): string => path.join(folder(), name)
  let starter: ChildProcess | undefined

  beforeAll(async () => {
    await fs.mkdir(file('bin'))
    for (const [name, text] of Object.entries({
      condor_q: CONDOR_Q,
      condor_history: CONDOR_HISTORY,
      condor_ssh_to_job: CONDOR_SSH_TO_JOB,
    })) {
      await fs.writeFile(file(`bin/${name}`), text, { mode: 0o755 })
    }
    await fs.mkdir(file('run'), { mode: 0o700 })
    await fs.writeFile(file('queue'), JSON.stringify([IDLE, HELD]))
    await fs.writeFile(file('history'), '')
    process.env.PATH = `${file('bin')}:${saved.PATH}`
    process.env.SSHJOB_RUNTIME_DIR = file('run')
  })
  afterEach(async () => {
    await fs.rm(file('bin/condor_q.broken'), { force: true })
    if (starter === undefined) return
    const ended = once(starter, 'exit')
    starter.kill('SIGTERM')
    await ended
    starter = undefined
  })
  afterAll(() => {
    process.env = saved
  })

  function start(id: string): void {
    const args = [SSHJOB_SERVER, '--quiet', '--job-id', id, '--', 'sleep', '600']
    starter = spawn(process.execPath, args, { stdio: 'ignore', env: { ...process.env } })
  }

  it('waits for a job, says what for, and is in it once it runs', async () => {
    const reasons: string[] = []
    const connection = await connectToJob('train', {
      waitMs: Number.POSITIVE_INFINITY,
      onWait: ({ code, message }) => {
        reasons.push(`${code}: ${message}`)
        if (starter === undefined) start('train')
      },
    })
    expect(connection.job?.id).toBe('train')
    await connection.close()
    expect(reasons[0]).toMatch(/^job-not-found: No job train of yours runs on this machine/)
    expect(await listJobs()).toEqual([
      expect.objectContaining({
        engine: 'local',
        id: 'train',
        state: 'running',
        command: ['sleep', '600'],
        pids: [expect.any(Number)],
      }),
      expect.objectContaining({ engine: 'htcondor', id: '1138.0', state: 'idle', user: 'ada' }),
      expect.objectContaining({ engine: 'htcondor', id: '1139.0', state: 'held', reason: 'no such file' }),
    ])
  })

  it('stops waiting when it is told to, or the time is over', async () => {
    const abort = new AbortController()
    const waiting = connectToJob('nobody', {
      waitMs: 600_000,
      signal: abort.signal,
      onWait: () => abort.abort(),
    })
    await expect(waiting).rejects.toMatchObject({ code: 'aborted' })
    await expect(connectToJob('nobody', { waitMs: 1 })).rejects.toMatchObject({ code: 'job-not-found' })
  })

  it('says why a job can not be entered, as the command does', async () => {
    await expect(connectToJob('1138')).rejects.toMatchObject({
      code: 'job-not-started',
      retry: true,
      message: expect.stringMatching(/^Job 1138\.0 is idle: it is not matched to a machine yet/),
    })
    // Waiting ends where it makes no sense.
    await fs.writeFile(file('queue'), JSON.stringify([HELD]))
    await expect(connectToJob('1139', { waitMs: Number.POSITIVE_INFINITY })).rejects.toMatchObject({
      code: 'job-held',
      message:
        "Job 1139.0 is on hold: no such file. Waiting does not help: 'condor_release 1139.0' lets it run again.",
    })
  })

  it('lists what it can where an engine does not answer, or says that it does not', async () => {
    await fs.writeFile(file('bin/condor_q.broken'), '')
    start('train')
    await (await connectToJob('train', { waitMs: 60_000 })).close()
    const failures: string[] = []
    const jobs = await listJobs({ onFailure: ({ message }) => failures.push(message) })
    expect(jobs.map(({ id }) => id)).toEqual(['train'])
    expect(failures).toEqual([
      "The jobs of htcondor are not listed. HTCondor's schedd does not answer: Failed to fetch ads from: <127.0.0.1:9618>",
    ])
    await expect(listJobs()).rejects.toMatchObject({ code: 'unreachable', retry: true, message: failures[0] })
  })
})
