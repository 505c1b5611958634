import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { silent } from '../../../../src/core/log.js'
import { makePolicy } from '../../../../src/server/forwarding/policy.js'
import { RemoteForwards } from '../../../../src/server/forwarding/remote.js'
import { Reader, string } from '../../../../src/ssh/wire.js'
import { untilSettled } from '../../../helpers/bytes.js'
import { connectionPair } from '../../../helpers/connection-pair.js'
import { temporaryDirectory } from '../../../helpers/temporary-directory.js'

const directory = temporaryDirectory()

/** Unix sockets of this process. */
const sockets = (): number => process.getActiveResourcesInfo().filter((name) => name === 'PipeWrap').length

describe('a socket that takes the place of one that is there', () => {
  it('is the only one that this client listens on then', async () => {
    const pair = await connectionPair()
    const policy = { ...makePolicy({}), replacesSockets: true }
    const forwards = new RemoteForwards(pair.server.connection, policy, silent)
    const before = sockets()
    const path = join(directory(), 'socket')
    const data = (): Reader => new Reader(string(path))
    expect(await forwards.listenUnix(data())).toBe(true)
    expect(await forwards.listenUnix(data())).toBe(true)
    expect(await untilSettled(sockets)).toBe(before + 1)
    expect(existsSync(path)).toBe(true)
    expect(await forwards.cancelUnix(data())).toBe(true)
    expect(await untilSettled(sockets)).toBe(before)
    expect(existsSync(path)).toBe(false)
    expect(await forwards.cancelUnix(data())).toBe(false)
    forwards.close()
    await pair.close()
  })
})
