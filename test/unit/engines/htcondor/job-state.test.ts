import { SshjobError } from '../../../../src/core/errors.js'
import { formatTime } from '../../../../src/core/format-time.js'
import { describeJob, explainState, stateOf } from '../../../../src/engines/htcondor/job-state.js'

const SECONDS = 1_769_868_300
const WHEN = formatTime(new Date(SECONDS * 1_000))

describe('the state of a job of HTCondor', () => {
  it.each([
    [{ JobStatus: 1 }, 'idle'],
    [{ JobStatus: 2 }, 'running'],
    [{ JobStatus: 2, TransferringInput: true }, 'transferring input'],
    [{ JobStatus: 3 }, 'removed'],
    [{ JobStatus: 4 }, 'completed'],
    [{ JobStatus: 5 }, 'held'],
    [{ JobStatus: 6 }, 'transferring output'],
    [{ JobStatus: 7 }, 'suspended'],
    [{ JobStatus: 99 }, 'unknown'],
    [{}, 'unknown'],
  ])('of %j is %s', (ad, state) => {
    expect(stateOf(ad)).toBe(state)
  })
})

describe('why a job can not be entered', () => {
  const unreachable = new SshjobError('unreachable', 'It failed.')
  const explain = (ad: object, findings?: string, failure = unreachable): object | undefined => {
    const error = explainState('12.0', ad, failure, findings)
    return error && { code: error.code, retry: error.retry, message: error.message }
  }

  it('is that no machine was found, and waiting helps', () => {
    expect(explain({ JobStatus: 1 })).toEqual({
      code: 'job-not-started',
      retry: true,
      message: 'Job 12.0 is idle: it is not matched to a machine yet.',
    })
    expect(explain({ JobStatus: 1, LastRejMatchReason: 'no match found ' })).toMatchObject({
      message: 'Job 12.0 is idle: it is not matched to a machine yet (no match found).',
    })
    expect(
      explain({ JobStatus: 1, LastRejMatchReason: 'no match found' }, 'of 1 slots, 1 busy'),
    ).toMatchObject({
      message: 'Job 12.0 is idle: it is not matched to a machine yet (of 1 slots, 1 busy).',
    })
  })

  it('is that it is on hold, why, and what to do', () => {
    expect(explain({ JobStatus: 5, HoldReason: 'via condor_hold (by user ada)' })).toEqual({
      code: 'job-held',
      retry: false,
      message:
        "Job 12.0 is on hold: via condor_hold (by user ada). Waiting does not help: 'condor_release 12.0' lets it run again.",
    })
  })

  it('is that it is between being matched and running', () => {
    expect(
      explain({ JobStatus: 2, TransferringInput: true, RemoteHost: 'slot1_2@node7.example.org' }),
    ).toMatchObject({
      code: 'job-not-started',
      retry: true,
      message: 'Job 12.0 is not running yet: its input is on the way to node7.example.org.',
    })
    expect(explain({ JobStatus: 7 })).toMatchObject({ code: 'job-not-started', retry: true })
  })

  it.each([
    [{ JobStatus: 4, ExitBySignal: false, ExitCode: 7 }, 'Job 12.0 ended, with exit status 7.'],
    [{ JobStatus: 4, ExitBySignal: true, ExitSignal: 9 }, 'Job 12.0 ended, by signal KILL.'],
    [{ JobStatus: 4, EnteredCurrentStatus: SECONDS }, `Job 12.0 ended at ${WHEN}.`],
    [
      { JobStatus: 3, EnteredCurrentStatus: SECONDS, RemoveReason: 'via condor_rm (by user ada)' },
      `Job 12.0 was removed at ${WHEN}: via condor_rm (by user ada).`,
    ],
    [{ JobStatus: 6 }, 'Job 12.0 has ended: its output is on the way back.'],
  ])('is that it is over: %j', (ad, message) => {
    expect(explain(ad)).toEqual({ code: 'job-ended', retry: false, message })
  })

  it('is not its state if it runs', () => {
    expect(explain({ JobStatus: 2 })).toBeUndefined()
  })

  it('is that it starts, if that is what HTCondor means by silence', () => {
    const ad = { JobStatus: 2, RemoteHost: 'slot1@node7' }
    expect(explain(ad, undefined, new SshjobError('job-not-started', 'soon', { retry: true }))).toMatchObject(
      {
        retry: true,
        message: 'Job 12.0 is about to start on node7.',
      },
    )
  })

  it('is told on one line, whatever the reason has in it', () => {
    expect(explain({ JobStatus: 5, HoldReason: 'line one\nline two\n' })).toMatchObject({
      message: expect.stringContaining('on hold: line one line two. Waiting'),
    })
  })
})

describe('a job of the queue in the list', () => {
  it('has its id, state, host without slot, and command', () => {
    const ad = {
      ClusterId: 12,
      ProcId: 3,
      JobStatus: 2,
      Owner: 'ada',
      Cmd: '/bin/sleep',
      Arguments: '600',
      RemoteHost: 'slot1@node7',
      EnteredCurrentStatus: SECONDS,
      QDate: SECONDS - 60,
    }
    const listed = {
      id: '12.3',
      state: 'running',
      reason: undefined,
      host: 'node7',
      user: 'ada',
      since: new Date(SECONDS * 1_000).toISOString(),
      command: ['/bin/sleep', '600'],
    }
    expect(describeJob(ad)).toEqual([listed])
    expect(describeJob({ ...ad, AllRemoteHosts: 'slot1@node7' })).toEqual([listed])
    expect(describeJob({ ...ad, AllRemoteHosts: 'slot1@node7,slot2@node8' })).toEqual([
      { ...listed, id: '12.3.0' },
      { ...listed, id: '12.3.1', host: 'node8' },
    ])
  })

  it('has a reason while it is idle or held, and no host', () => {
    const ad = {
      ClusterId: 1,
      ProcId: 0,
      LastRemoteHost: 'slot1@node7',
      LastRejMatchReason: 'no match found',
    }
    expect(describeJob({ ...ad, JobStatus: 1 })).toMatchObject([
      { reason: 'no match found', host: undefined },
    ])
    expect(describeJob({ ...ad, JobStatus: 5, HoldReason: 'why' })).toMatchObject([{ reason: 'why' }])
  })

  it('is none without an id', () => {
    expect(describeJob({ JobStatus: 2 })).toEqual([])
  })
})
