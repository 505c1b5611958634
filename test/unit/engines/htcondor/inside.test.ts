import { besideServer, outsideOfContainer } from '../../../../src/engines/htcondor/inside.js'
import type { JobInside, JobListenAt } from '../../../../src/job/inside.js'
import { testInside } from '../../../helpers/inside.js'

const CONTAINER = 'the job runs in a container, and this would be done outside of it'
const DENIED = { code: 'denied', message: CONTAINER }

/** What is really listened on. */
function recorder(): JobInside & { asked: JobListenAt[] } {
  const asked: JobListenAt[] = []
  return {
    ...testInside(),
    asked,
    listen: async (at) => {
      asked.push(at)
      return { port: 1, host: 'localhost', close: async () => undefined }
    },
  }
}
const listenOn = (inside: JobInside, at: JobListenAt) => inside.listen(at, () => undefined)

describe('a job of HTCondor that the server is beside', () => {
  it('has its displays on loopback, and all else as it is asked for', async () => {
    const inside = recorder()
    const job = besideServer(inside, () => undefined)
    await listenOn(job, { display: 10, on: 'everywhere' })
    await listenOn(job, { port: 80, on: 'everywhere' })
    expect(inside.asked).toEqual([
      { display: 10, on: 'loopback' },
      { port: 80, on: 'everywhere' },
    ])
  })

  it('is told before its files are used', async () => {
    const begin = jest.fn()
    await besideServer(testInside(), begin).files()
    expect(begin).toHaveBeenCalledTimes(1)
  })
})

describe('a job of HTCondor in a container that the server is outside of', () => {
  const signal = AbortSignal.timeout(10_000)

  it('has no files, sockets and displays of the host', async () => {
    const inside = recorder()
    for (const sharesNetwork of [true, false]) {
      const job = outsideOfContainer(inside, sharesNetwork)
      for (const refused of [
        job.files(),
        job.temporary(),
        job.connect({ path: '/run/x' }, { signal }),
        listenOn(job, { path: '/tmp/x', replace: true }),
        listenOn(job, { display: 10, on: 'loopback' }),
      ])
        await expect(refused).rejects.toMatchObject(DENIED)
    }
    expect(inside.asked).toEqual([])
  })

  it('has ports where they are the container’s too, on this machine alone', async () => {
    const inside = recorder()
    const shared = outsideOfContainer(inside, true)
    await expect(shared.connect({ host: 'localhost', port: 0 }, { signal })).rejects.toMatchObject({
      code: 'unreachable',
    })
    for (const on of ['everywhere', { address: '192.0.2.1' }, { address: '::1' }] as const)
      await listenOn(shared, { port: 80, on })
    expect(inside.asked).toEqual([
      { port: 80, on: 'loopback' },
      { port: 80, on: 'loopback' },
      { port: 80, on: { address: '::1' } },
    ])
  })

  it('has none of them where they are not', async () => {
    const job = outsideOfContainer(recorder(), false)
    await expect(job.connect({ host: 'localhost', port: 1 }, { signal })).rejects.toMatchObject(DENIED)
    await expect(listenOn(job, { port: 0, on: 'loopback' })).rejects.toMatchObject(DENIED)
  })
})
