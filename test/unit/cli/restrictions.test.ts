import { onLoopback, outsideOfContainer } from '../../../src/cli/server/sshd/restrictions.js'
import { resolveConfig } from '../../../src/sshd/config.js'
import { makeForwarding } from '../../../src/sshd/forwarding.js'
import { parseKeyOptions } from '../../../src/sshd/key-options.js'
import { parseConfig } from '../../../src/sshd/read-config.js'

/** The forwardings of a configuration that the job has had in its hands. */
function policyOf(...lines: string[]) {
  const config = resolveConfig(parseConfig(lines.join('\n'), 'config').directives, { user: 'alice' })
  const key = parseKeyOptions('')
  if (typeof key === 'string') throw new Error(key)
  return makeForwarding(config, key)
}
const GENEROUS = [
  'X11Forwarding yes',
  'X11UseLocalhost no',
  'Match all',
  'AllowTcpForwarding yes',
  'AllowStreamLocalForwarding yes',
  'GatewayPorts yes',
  'X11UseLocalhost no',
]
const CONTAINER = 'the job runs in a container, and this would be done outside of it'

describe('displays in a job of HTCondor', () => {
  it('are on loopback, whatever the configuration says', () => {
    const policy = policyOf(...GENEROUS, 'X11DisplayOffset 20')
    expect(policy.displays).toEqual({ offset: 20, localhost: false })
    expect(onLoopback(policy).displays).toEqual({ offset: 20, localhost: true })
    expect(onLoopback(policy).x11()).toBeUndefined()
  })
})

describe('a server outside of the container', () => {
  it('opens nothing of the execution point to a container', () => {
    const policy = outsideOfContainer(false)(policyOf(...GENEROUS))
    const answers = [
      policy.open('localhost', 22),
      policy.listen('', 0),
      policy.openUnix('/run/x'),
      policy.listenUnix('/tmp/x'),
      policy.agent(),
      policy.x11(),
    ]
    expect(answers).toEqual(answers.map(() => CONTAINER))
  })

  it('opens ports where they are the container’s too, on loopback, as far as the configuration does', () => {
    const policy = outsideOfContainer(true)(policyOf(...GENEROUS))
    expect([policy.open('localhost', 22), policy.listen('', 0)]).toEqual([undefined, undefined])
    expect([policy.openUnix('/x'), policy.listenUnix('/x'), policy.agent(), policy.x11()]).toEqual([
      CONTAINER,
      CONTAINER,
      CONTAINER,
      CONTAINER,
    ])
    expect(policy).toMatchObject({ gatewayPorts: 'no', replacesSockets: false })
    const strict = outsideOfContainer(true)(policyOf('AllowTcpForwarding no'))
    expect(strict.open('localhost', 22)).toBe('the configuration of this server does not allow it')
  })
})
