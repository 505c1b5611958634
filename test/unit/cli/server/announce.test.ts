import { writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { announcement } from '../../../../src/cli/server/announce.js'
import { readAccount } from '../../../../src/job/account.js'
import { runProgram, SSHJOB_SERVER } from '../../../helpers/programs.js'
import { environmentFor } from '../../../helpers/served-job.js'
import { temporaryDirectory } from '../../../helpers/temporary-directory.js'

const HERE = `on ${hostname()} as ada`

describe('what a starter says at its start', () => {
  const folder = temporaryDirectory()

  it('is how to enter the job, and from where', () => {
    expect(announcement({ id: 'train', user: 'ada' }, {})).toBe(
      `sshjob-server: To enter this job, ${HERE}: sshjob train`,
    )
  })

  it('names the number that HTCondor gave the job, where it did', () => {
    const file = join(folder(), '.job.ad')
    writeFileSync(file, 'ClusterId = 1138\nProcId = 2\n')
    expect(announcement({ id: 'train', user: 'ada' }, { _CONDOR_JOB_AD: file })).toBe(
      `sshjob-server: To enter this job, ${HERE}: sshjob train, or where HTCondor has it: sshjob 1138.2`,
    )
    expect(announcement({ id: 'train', user: 'ada' }, { _CONDOR_JOB_AD: '/nowhere' })).toMatch(
      /sshjob train$/,
    )
  })

  it('names a socket that is not found by the id', () => {
    expect(announcement({ id: 'train', user: 'ada', listen: '/run/x' }, {})).toBe(
      `sshjob-server: Whoever reaches /run/x ${HERE} enters job train: sshjob --proxy-command 'socat - UNIX:/run/x' train`,
    )
  })

  it('is one line on stderr, and none with --quiet', async () => {
    const run = (...options: string[]) =>
      runProgram(
        SSHJOB_SERVER,
        ['--job-id', 'train', ...options, '--', 'sh', '-c', 'sleep 0.2; echo out; echo err >&2'],
        {
          env: environmentFor(folder()),
        },
      )
    expect(await run()).toMatchObject({
      exitCode: 0,
      stdout: 'out\n',
      stderr: `sshjob-server: To enter this job, on ${hostname()} as ${readAccount().name}: sshjob train\nerr\n`,
    })
    for (const option of ['--quiet', '-q'])
      expect(await run(option)).toMatchObject({ stdout: 'out\n', stderr: 'err\n' })
  })
})
