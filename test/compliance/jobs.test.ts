import { closeSync, mkdtempSync, openSync, realpathSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { connect } from '../../src/client/connect.js'
import { htcondorJob } from '../../src/engines/htcondor/job.js'
import { makeJobEnvironment, readEnvironment } from '../../src/job/environment.js'
import type { Job } from '../../src/job/job.js'
import { launchJob } from '../../src/job/launch-job.js'
import { localJob } from '../../src/job/local-job.js'
import { listenUnix } from '../../src/sockets/listen-unix.js'
import { connectUnix } from '../../src/sockets/unix.js'
import { acceptFrom } from '../../src/starter/accept-from.js'
import { jobEnded } from '../../src/starter/job-end.js'
import { serve } from '../../src/starter/serve.js'
import { startStarter } from '../../src/starter/starter.js'
import { commandStream } from '../../src/streams/command.js'
import { streamPair } from '../../src/streams/memory.js'
import { closeSockets } from '../helpers/loopback.js'
import { SSHJOB_SERVER } from '../helpers/programs.js'
import { serveInWorker } from '../helpers/serve-in-worker.js'
import { temporaryDirectory } from '../helpers/temporary-directory.js'
import { describeJob, type Entered, type JobKind } from './job-behaviours.js'

afterEach(closeSockets)

const OVER = jobEnded('test', { exitCode: 0 })
const VARIABLE = "it's\nthe job's"

describe('every job behaves alike', () => {
  const above = temporaryDirectory()
  /** Short: below it are sockets, whose paths have 107 bytes at most, unix(7). */
  const newDirectory = (): string => mkdtempSync(path.join(above(), 'j'))
  const environment = (): Map<string, Buffer> =>
    makeJobEnvironment(readEnvironment()).set('FROM_THE_JOB', Buffer.from(VARIABLE))

  /** Entered in this process, without a starter. */
  const served = (job: Job, directory: string, offers = true): JobKind => ({
    variable: VARIABLE,
    directory,
    offers,
    async enter(): Promise<Entered> {
      const [far, stream] = streamPair()
      const connection = serve(far, job)
      return { client: await connect(stream), stream, finish: () => connection.end(OVER) }
    },
  })
  const inside = (directory: string): Job =>
    localJob({
      id: 'test',
      command: ['test'],
      pids: () => [process.pid],
      environment: environment(),
      directory,
    })

  describeJob('that this process has launched', () => {
    const directory = newDirectory()
    return {
      variable: VARIABLE,
      directory,
      async enter() {
        const null_ = ['r', 'w', 'w'].map((flags) => openSync('/dev/null', flags))
        const [input = 0, output = 0, errors = 0] = null_
        const launched = await launchJob(['sleep', '1000'], {
          id: 'test',
          environment: environment(),
          directory,
          stdio: [input, output, errors],
        })
        for (const descriptor of null_) closeSync(descriptor)
        const starter = startStarter()
        starter.begin(launched.job)
        const [far, stream] = streamPair()
        starter.accept(far, { path: 'engine' })
        const client = await connect(stream)
        const finish = async (): Promise<void> => {
          launched.signal('TERM')
          await starter.finish(jobEnded('test', await launched.ended))
        }
        void client.closed.then(finish)
        return { client, stream, finish }
      },
    }
  })

  describeJob('that this process is inside of', () => {
    const directory = newDirectory()
    return served(inside(directory), directory)
  })

  describeJob('that offers nothing beside its processes', () => {
    const directory = newDirectory()
    const { inside: _, ...job } = inside(directory)
    return served(job, directory, false)
  })

  describeJob('that is what sshjob-server -i sits in', () => {
    const directory = newDirectory()
    const script = 'cd "$0" && FROM_THE_JOB=$1 exec "$2" "$3" -i'
    return {
      variable: VARIABLE,
      directory,
      async enter() {
        const stream = commandStream([
          ...['sh', '-c', script, directory, VARIABLE, process.execPath, SSHJOB_SERVER],
        ])
        const client = await connect(stream)
        const { stdout } = await (await client.exec('echo $PPID', { stdin: null })).output()
        const finish = async (): Promise<void> => {
          process.kill(Number(stdout.toString()), 'SIGTERM')
          await client.closed
        }
        return { client, stream, finish }
      },
    }
  })

  describe('of HTCondor', () => {
    async function scratchOf(): Promise<{ scratch: string; variables: Map<string, Buffer> }> {
      const scratch = newDirectory()
      await writeFile(path.join(scratch, '.job.ad'), 'ClusterId = 1138\nProcId = 2\nCmd = "/bin/job"\n')
      const variables = environment()
      for (const [name, value] of [
        ['_CONDOR_SCRATCH_DIR', scratch],
        ['_CONDOR_JOB_PIDS', String(process.pid)],
      ] as const)
        variables.set(name, Buffer.from(value))
      return { scratch, variables }
    }

    describeJob('whose starter has started this process beside it', async () => {
      const { scratch, variables } = await scratchOf()
      const found = htcondorJob(variables)
      if (found === undefined) throw new Error('it was not recognised')
      return served(found.job, scratch)
    })
  })

  describeJob('that a worker serves, from a handover on descriptor 3', async () => {
    const directory = newDirectory()
    const socket = path.join(realpathSync(above()), 'w')
    const server = await listenUnix(socket)
    const env = { ...process.env, FROM_THE_JOB: VARIABLE }
    const starter = startStarter({ serve: serveInWorker({ cwd: directory, env }) })
    acceptFrom(server, starter, { path: 'unix' })
    starter.begin(inside(directory))
    return {
      variable: VARIABLE,
      directory,
      async enter() {
        const stream = await connectUnix(socket)
        return { client: await connect(stream), stream, finish: () => starter.finish(OVER) }
      },
      async close() {
        await starter.finish(OVER)
        server.close()
      },
    }
  })
})
