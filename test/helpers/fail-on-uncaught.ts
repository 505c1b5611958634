import { turnOfEventLoop } from './bytes.js'

/** For the top of a file: what would have ended the process fails the test. */
export function failOnUncaught(): void {
  let failures: unknown[] = []
  const onFailure = (error: unknown): void => void failures.push(error)
  beforeEach(() => {
    failures = []
    process.on('uncaughtException', onFailure).on('unhandledRejection', onFailure)
  })
  afterEach(async () => {
    await turnOfEventLoop()
    process.off('uncaughtException', onFailure).off('unhandledRejection', onFailure)
    expect(failures).toEqual([])
  })
}
