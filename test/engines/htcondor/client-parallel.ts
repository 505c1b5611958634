import { SLEEP } from './case.js'
import { CASE_MS, type Client } from './client.js'

/** Jobs of the parallel universe, all nodes on the pool's one machine, which is restarted: whatever runs there ends. */
export function describeParallelJobs({ pool, sshjob }: Client): void {
  const started = async (): Promise<string> => {
    const id = await pool().submit('alice', 'universe = parallel', 'machine_count = 2', ...SLEEP)
    await pool().becomesEnterable('alice', `${id}.0`)
    return id
  }

  describe('a parallel job', () => {
    it(
      'is entered by its first node alone as HTCondor is, and waiting for the others comes to an end',
      async () => {
        const job = await started()
        expect(await sshjob([`${job}.0`, 'echo "$_CONDOR_PROCNO"'])).toMatchObject({ stdout: '0\n' })
        expect(await sshjob(['--wait', `${job}.1`, 'true'])).toMatchObject({
          exitCode: 255,
          stderr: expect.stringMatching(
            new RegExp(
              `^sshjob: HTCondor does not get to node 1 of job ${job}: .*only gets to node 0\\.\n$`,
              'm',
            ),
          ),
        })
      },
      CASE_MS,
    )
  })

  describe('a parallel job whose nodes HTCondor gets to', () => {
    let job: string
    beforeAll(async () => {
      await pool().restartExecutionPoint('SCHEDD.SEC_ENABLE_MATCH_PASSWORD_AUTHENTICATION = False\n')
      await pool().get('root', ['condor_reconfig'])
      job = await started()
      await pool().becomesEnterable('alice', `${job}.1`)
    }, CASE_MS)
    afterAll(() => pool().get('alice', ['condor_rm', job]), CASE_MS)

    it('is entered by its nodes, in the folder of each', async () => {
      const command = 'echo "$_CONDOR_PROCNO of $_CONDOR_NPROCS"; echo "$_CONDOR_SCRATCH_DIR"'
      const folders = new Set<string>()
      for (const node of [0, 1]) {
        const { exitCode, stdout } = await sshjob([`${job}.${node}`, command])
        expect({ exitCode, stdout }).toEqual({
          exitCode: 0,
          stdout: expect.stringMatching(`^${node} of 2\n/.*\n$`),
        })
        folders.add(stdout)
      }
      expect(folders.size).toBe(2)
    })

    it('is entered by its nodes in the library', async () => {
      const script = `
        const { connectToJob } = await import('/opt/sshjob/dist/index.js')
        const node = await connectToJob('htcondor:${job}.1')
        const { stdout } = await (await node.exec('echo $_CONDOR_PROCNO', { stdin: null })).output()
        console.log(String(stdout).trim())
        await node.close()
        console.log((await connectToJob('htcondor:${job}.2').catch((error) => error)).code)`
      const output = await pool().get('alice', ['node', '--input-type=module', '-e', script])
      expect(output).toBe('1\njob-not-found')
    })

    it('wants a node to be named, and one that there is', async () => {
      const cluster = job.split('.')[0] ?? ''
      for (const name of [cluster, job]) {
        expect(await sshjob([name, 'true'])).toMatchObject({
          exitCode: 255,
          stderr: `sshjob: Job ${job} is a parallel one: name one of its nodes, ${job}.0 and ${job}.1.\n`,
        })
      }
      expect(await sshjob([`${job}.2`, 'true'])).toMatchObject({
        exitCode: 255,
        stderr: `sshjob: Job ${job} has no node 2: its nodes are ${job}.0 and ${job}.1.\n`,
      })
    })

    it('is listed by its nodes', async () => {
      const { stdout } = await sshjob(['ls'])
      for (const node of [0, 1]) {
        expect(stdout).toMatch(
          new RegExp(`^${job}.${node}\\s+running\\s+ep.pool.test\\s.*sleep 100000$`, 'm'),
        )
      }
      expect(stdout).not.toMatch(new RegExp(`^${job} `, 'm'))
    })
  })
}
