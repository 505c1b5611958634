import { readReach } from '../../../../src/cli/arguments/reach-options.js'
import { runCopyCommand } from '../../../../src/cli/copy/cp.js'
import { runOpenCommand } from '../../../../src/cli/open/open.js'

it('how a job is reached is read alike for every command', () => {
  expect(readReach([], [])).toEqual({
    waitMs: 0,
    proxyCommand: undefined,
    engines: {},
  })
  const given = [
    { name: 'wait', value: '5' },
    { name: 'proxy-command', value: 'nc %h 22' },
    { name: 'wait', value: undefined },
  ]
  const ofEngines = [
    { name: 'pool', value: 'first' },
    { name: 'pool', value: 'cm' },
  ]
  expect(readReach(given, ofEngines)).toMatchObject({
    waitMs: Number.POSITIVE_INFINITY,
    proxyCommand: 'nc %h 22',
    engines: { htcondor: { pool: 'cm' } },
  })
})

it.each([
  ['cp', () => runCopyCommand(['--proxy-command', ' ', 'a', 'job:b'])],
  ['open', () => runOpenCommand(['--proxy-command', ' ', 'job', '80'])],
])('%s takes no empty proxy command', async (_name, run) => {
  await expect(run()).rejects.toMatchObject({
    code: 'usage',
    message: expect.stringContaining('--proxy-command needs a command.'),
  })
})
