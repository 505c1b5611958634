import { chownSync, existsSync, mkdtempSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import fs from 'node:fs/promises'
import os from 'node:os'
import { dirname, join } from 'node:path'
import { silent } from '../../../src/core/log.js'
import { everything } from '../../../src/permissions/permissions.js'
import { letClientIn } from '../../../src/server/client.js'
import type { Rules } from '../../../src/server/rules.js'
import { string } from '../../../src/ssh/wire.js'
import { connectionPair } from '../../helpers/connection-pair.js'
import { failOnUncaught } from '../../helpers/fail-on-uncaught.js'
import { testInside } from '../../helpers/inside.js'
import { idle, memoryJob } from '../../helpers/memory-job.js'
import { itAsRoot } from '../../helpers/needs.js'
import { rawSession } from '../../helpers/session-pair.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

failOnUncaught()

const directory = temporaryDirectory()
let temporary: string

beforeEach(() => {
  temporary = mkdtempSync(join(directory(), 'tmp-'))
  jest.spyOn(os, 'tmpdir').mockReturnValue(temporary)
})

afterEach(() => {
  jest.restoreAllMocks()
})

/** What is below it can't be removed any more, whoever tries: ENOTDIR. The job can do as much with a folder of its own. */
function spoil(): void {
  renameSync(temporary, `${temporary}-before`)
  writeFileSync(temporary, '')
}

async function letIn() {
  const pair = await connectionPair()
  const { transport, connection } = pair.server
  const warnings: string[] = []
  const log = { ...silent, warn: (_fields: object, message: string) => void warnings.push(message) }
  const rules: Rules = { permissions: [everything('the test')], authenticationInfo: true }
  const inside = testInside()
  const key = { algorithm: 'ssh-ed25519', blob: string('ssh-ed25519') }
  return { pair, warnings, client: letClientIn(transport, connection, { rules, key, inside, log }) }
}

describe('what can not be removed', () => {
  it('is left where it is, and ends neither the server nor the session of another client', async () => {
    const job = memoryJob(idle)
    const session = await rawSession(job)
    const channel = await session.peer.open()
    expect(await session.peer.request(channel, 'auth-agent-req@openssh.com')).toBe(true)
    expect(await session.peer.request(channel, 'exec', string('x'))).toBe(true)
    spoil()
    await session.close()
    expect(job.processes[0]?.terminated).toBe(true)
  })

  it('is left where it is when it says how a client has authenticated', async () => {
    const { pair, warnings, client } = await letIn()
    expect([...((await client.environment)?.keys() ?? [])]).toEqual(['SSH_USER_AUTH'])
    spoil()
    await client.leave()
    expect(warnings).toHaveLength(1)
    await pair.close()
  })
})

itAsRoot("nothing is made in a temporary folder that is another user's, as after su", async () => {
  chownSync(temporary, 54_321, 54_321)
  const job = memoryJob(idle)
  const session = await rawSession(job)
  const channel = await session.peer.open()
  expect(await session.peer.request(channel, 'auth-agent-req@openssh.com')).toBe(true)
  expect(await session.peer.request(channel, 'exec', string('x'))).toBe(true)
  const socket = job.processes[0]?.request.environment.get('SSH_AUTH_SOCK')?.toString() ?? ''
  expect(socket).toMatch(/^\/tmp\/sshjob-\w+\/agent$/)
  const { pair, client } = await letIn()
  const file = (await client.environment)?.get('SSH_USER_AUTH')?.toString()
  expect(file).toMatch(/^\/tmp\/sshjob-\w+\/auth$/)
  expect(readdirSync(temporary)).toEqual([])
  await client.leave()
  await pair.close()
  await session.close()
  expect([dirname(socket), file].filter((name) => existsSync(name ?? ''))).toEqual([])
})

it('a client is let in where there is no room to write down how it has authenticated, as with sshd', async () => {
  const full = jest.spyOn(fs, 'mkdtemp').mockRejectedValue(new Error('full'))
  const { pair, warnings, client } = await letIn()
  expect((await client.environment)?.size).toBe(0)
  expect(warnings).toHaveLength(1)
  full.mockRestore()
  await client.leave()
  await pair.close()
})
