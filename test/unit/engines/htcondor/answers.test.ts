import { summarise } from '../../../../src/engines/htcondor/analysis.js'
import { describeFailure, isAboutKeys } from '../../../../src/engines/htcondor/failure.js'
import { queueId, recogniseJobId } from '../../../../src/engines/htcondor/job-id.js'
import { parseAds } from '../../../../src/engines/htcondor/queue.js'

describe('an id of HTCondor', () => {
  it.each([
    ['1138', '1138.0'],
    ['1138.7', '1138.7'],
    ['1138.0.1', '1138.0.1'],
  ])('%s is %s', (text, id) => {
    expect(recogniseJobId(text)).toBe(id)
  })

  it.each(['', 'train', '1138.', '.1', '1.2.3.4', '-1', '1138.x', '12345678901', '1 2'])(
    'is not %j',
    (text) => {
      expect(recogniseJobId(text)).toBeUndefined()
    },
  )

  it('is known to the queue without the node', () => {
    expect(queueId('1138.0.1')).toBe('1138.0')
  })
})

describe('the answers of condor_q', () => {
  it('are a list, or nothing at all', () => {
    expect(parseAds('')).toEqual([])
    expect(parseAds('\n')).toEqual([])
    expect(parseAds('[\n]\n')).toEqual([])
    expect(parseAds('[{"ClusterId": 1}, 7]')).toEqual([{ ClusterId: 1 }])
  })

  it.each(['[{', '{}', '-- Schedd: ap1'])('are refused when they are %j', (text) => {
    expect(() => parseAds(text)).toThrow("HTCondor's tools")
  })

  it('about why a job is idle become half a sentence', () => {
    const summary = `
12.000:  Run analysis summary ignoring user priority.  Of 12 machines,
     10 are rejected by your job's requirements
      0 reject your job because of their own requirements
      0 match and are already running your jobs
      2 match but are serving other users
      0 are able to run your job
`
    expect(summarise(summary)).toBe(
      "of 12 slots, 10 rejected by the job's requirements and 2 busy with other jobs",
    )
    expect(summarise('no such job')).toBeUndefined()
  })
})

describe('what condor_ssh_to_job failed with', () => {
  const failure = (stderr: string): object => {
    const { code, message, retry } = describeFailure(stderr)
    return { code, message, retry }
  }

  it('is its own words, on one line, without its hint', () => {
    expect(failure('Job 12.0 is not running.\n(Use -auto-retry to keep trying periodically.)\n')).toEqual({
      code: 'unreachable',
      retry: true,
      message: 'HTCondor did not let us into the job: Job 12.0 is not running.',
    })
    expect(failure("ERROR: Can't find address of local schedd\n")).toMatchObject({
      code: 'unreachable',
      retry: true,
      message: "HTCondor did not let us into the job: Can't find address of local schedd.",
    })
  })

  it('is a refusal where it says so', () => {
    expect(failure('eve@pool is not authorized for access to the starter for job 12.0\n')).toMatchObject({
      code: 'denied',
      retry: false,
    })
    expect(failure('Rejecting request, because ENABLE_SSH_TO_JOB=false\n')).toMatchObject({ code: 'denied' })
  })

  it('may not be known, and is nothing to worry about where waiting helps', () => {
    expect(failure('\n(Use -auto-retry to keep trying periodically.)\n')).toEqual({
      code: 'job-not-started',
      retry: true,
      message: 'HTCondor is about to start the job.',
    })
    expect(failure('')).toMatchObject({
      message: 'HTCondor did not let us into the job: it did not say why.',
    })
  })

  it('may be about the keys, which is worth another try', () => {
    expect(isAboutKeys(describeFailure('Failed to create ssh key /x with command ssh-keygen'))).toBe(true)
    expect(isAboutKeys(describeFailure('Job 12.0 is not running.'))).toBe(false)
  })
})
