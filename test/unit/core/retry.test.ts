import { SshjobError } from '../../../src/core/errors.js'
import { retry } from '../../../src/core/retry.js'

/** An attempt that fails with these errors, one after the other, and then gives 'open'. */
function failing(...errors: Error[]): () => Promise<string> {
  return async () => {
    const error = errors.shift()
    if (error !== undefined) throw error
    return 'open'
  }
}

const missing = new SshjobError('job-not-found', 'There is no job train here.', { retry: true })
const idle = new SshjobError('job-not-started', 'The job is idle.', { retry: true })
const denied = new SshjobError('denied', 'This job is not yours.')

describe('waiting for a job', () => {
  it('tries again while the job has not started, and tells each reason once', async () => {
    const reasons: string[] = []
    const opened = await retry(failing(missing, missing, idle, idle), {
      forMs: 60_000,
      intervalMs: 1,
      onWait: (error) => reasons.push(error.message),
    })
    expect(opened).toBe('open')
    expect(reasons).toEqual(['There is no job train here.', 'The job is idle.'])
  })

  it('waits longer and longer, up to a limit, where it is told to', async () => {
    const reasons: string[] = []
    const opened = await retry(failing(...Array.from({ length: 12 }, () => idle)), {
      forMs: 60_000,
      intervalMs: 1,
      maxIntervalMs: 4,
      onWait: (error) => reasons.push(error.message),
    })
    expect(opened).toBe('open')
    expect(reasons).toEqual(['The job is idle.'])
  })

  it('tells each change of the state', async () => {
    const input = new SshjobError('job-not-started', 'Its input is on the way.', { retry: true })
    const reasons: string[] = []
    await retry(failing(idle, idle, input, idle), {
      forMs: 60_000,
      intervalMs: 1,
      onWait: (error) => reasons.push(error.message),
    })
    expect(reasons).toEqual(['The job is idle.', 'Its input is on the way.', 'The job is idle.'])
  })

  it('gives up at once when trying again makes no sense', async () => {
    const attempt = retry(failing(denied), { forMs: 60_000, intervalMs: 1, onWait: () => undefined })
    await expect(attempt).rejects.toBe(denied)
  })

  it('tries once without --wait, and says nothing of waiting', async () => {
    const onWait = jest.fn()
    await expect(retry(failing(missing), { forMs: 0, onWait })).rejects.toBe(missing)
    expect(onWait).not.toHaveBeenCalled()
  })

  it('ends with the last reason when the time is over', async () => {
    const attempt = retry(
      async () => {
        throw idle
      },
      { forMs: 20, intervalMs: 5, onWait: () => undefined },
    )
    await expect(attempt).rejects.toBe(idle)
  })

  it('ends at once when it is aborted', async () => {
    const abort = new AbortController()
    const attempt = retry(failing(idle), {
      forMs: 600_000,
      intervalMs: 600_000,
      onWait: () => abort.abort(new Error('no time')),
      signal: abort.signal,
    })
    await expect(attempt).rejects.toMatchObject({ code: 'aborted', message: 'The operation was aborted.' })
  })
})
