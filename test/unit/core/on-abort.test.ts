import { getEventListeners } from 'node:events'
import { onAbort } from '../../../src/core/on-abort.js'

describe('onAbort', () => {
  it('calls back once, with the reason as our error', () => {
    const controller = new AbortController()
    const reasons: string[] = []
    onAbort(controller.signal, ({ code, cause }) => reasons.push(`${code}: ${String(cause)}`))
    expect(reasons).toEqual([])
    controller.abort('enough')
    controller.abort('again')
    expect(reasons).toEqual(['aborted: enough'])
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0)
  })

  it('calls back at once where the signal has aborted already', () => {
    const reasons: string[] = []
    onAbort(AbortSignal.abort(), ({ message }) => reasons.push(message))()
    expect(reasons).toEqual(['The operation was aborted.'])
  })

  it('is taken back without a trace', () => {
    const controller = new AbortController()
    const forget = onAbort(controller.signal, () => {
      throw new Error('nobody is interested any more')
    })
    forget()
    forget()
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0)
    controller.abort()
  })

  it('takes no signal as one that never aborts', () => {
    const never = (): never => {
      throw new Error('nobody has aborted')
    }
    expect(onAbort(undefined, never)()).toBeUndefined()
  })
})
