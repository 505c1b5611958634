import { SshjobError } from '../../../../src/core/errors.js'
import { HTCONDOR_NODE_START_MS } from '../../../../src/core/limits.js'
import { explainNode, nodesOf } from '../../../../src/engines/htcondor/nodes.js'

const SECONDS = 1_769_868_300
const AD = {
  ClusterId: 12,
  JobStatus: 2,
  EnteredCurrentStatus: SECONDS,
  AllRemoteHosts: 'slot1@a, slot1@b,slot1@c',
}
const SILENT = new SshjobError('job-not-started', 'soon', { retry: true })

describe('the nodes of a parallel job', () => {
  const explain = (id: string, ad: object, failure = SILENT, afterMs = 0): object | undefined => {
    const error = explainNode(id, ad, failure, SECONDS * 1_000 + afterMs)
    return error && { code: error.code, retry: error.retry, message: error.message }
  }

  it('are where its claims are', () => {
    expect(nodesOf(AD)).toEqual(['slot1@a', 'slot1@b', 'slot1@c'])
    expect(nodesOf({})).toEqual([])
  })

  it('are named where none is, or another', () => {
    expect(explain('12.0', AD)).toEqual({
      code: 'usage',
      retry: false,
      message: 'Job 12.0 is a parallel one: name one of its nodes, 12.0.0 to 12.0.2.',
    })
    expect(explain('12.0.3', { AllRemoteHosts: 'slot1@a,slot2@a' })).toEqual({
      code: 'job-not-found',
      retry: false,
      message: 'Job 12.0 has no node 3: its nodes are 12.0.0 and 12.0.1.',
    })
  })

  it('are no reason where there is one only, or none', () => {
    expect(explain('12.0', { AllRemoteHosts: 'slot1@a' })).toBeUndefined()
    expect(explain('12.0', {})).toBeUndefined()
  })

  it('may be starting, but not for ever', () => {
    expect(explain('12.0.1', AD, SILENT, HTCONDOR_NODE_START_MS - 1)).toBeUndefined()
    expect(explain('12.0.1', AD, SILENT, HTCONDOR_NODE_START_MS)).toMatchObject({
      code: 'unreachable',
      retry: false,
      message: expect.stringMatching(/^HTCondor does not get to node 1 of job 12\.0: /),
    })
    const other = new SshjobError('unreachable', 'It failed.')
    expect(explain('12.0.1', AD, other, HTCONDOR_NODE_START_MS)).toBeUndefined()
  })
})
