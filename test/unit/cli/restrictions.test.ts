import { onLoopback, outsideOfContainer } from '../../../src/cli/server/sshd/restrictions.js'
import { refusalOf } from '../../../src/permissions/refusal.js'
import type { Rules } from '../../../src/server/rules.js'
import { resolveConfig } from '../../../src/sshd/config.js'
import { parseKeyOptions } from '../../../src/sshd/key-options.js'
import { parseConfig } from '../../../src/sshd/read-config.js'
import { makeRules } from '../../../src/sshd/rules.js'

/** The rules of a configuration that the job has had in its hands. */
function rulesOf(...lines: string[]) {
  const config = resolveConfig(parseConfig(lines.join('\n'), 'config').directives, { user: 'alice' })
  const key = parseKeyOptions('')
  if (typeof key === 'string') throw new Error(key)
  return makeRules(config, key, { replacesForcedCommand: () => false })
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
const KINDS = ['open', 'listen', 'openUnix', 'listenUnix', 'agent', 'x11'] as const

/** Why each of them is refused. */
function refusals({ permissions }: Rules): (string | undefined)[] {
  return KINDS.map((kind) => refusalOf(permissions, { kind, host: 'localhost', port: 22, path: '/run/x' }))
}
const CONTAINER = /^this server, which is outside of the container that the job runs in, allows no /
const refused = expect.stringMatching(CONTAINER)

describe('displays in a job of HTCondor', () => {
  it('are on loopback, whatever the configuration says', () => {
    const rules = rulesOf(...GENEROUS, 'X11DisplayOffset 20')
    expect(rules.displays).toEqual({ offset: 20, localhost: false })
    expect(onLoopback(rules).displays).toEqual({ offset: 20, localhost: true })
    expect(refusals(onLoopback(rules))).toEqual(KINDS.map(() => undefined))
  })
})

describe('a server outside of the container', () => {
  it('opens nothing of the execution point to a container', () => {
    const rules = outsideOfContainer(false)(rulesOf(...GENEROUS))
    expect(refusals(rules)).toEqual(KINDS.map(() => refused))
  })

  it('opens ports where they are the container’s too, on loopback, as far as the configuration does', () => {
    const rules = outsideOfContainer(true)(rulesOf(...GENEROUS))
    expect(refusals(rules)).toEqual([undefined, undefined, refused, refused, refused, refused])
    expect(rules).toMatchObject({ gatewayPorts: 'no', replacesSockets: false })
    const strict = outsideOfContainer(true)(rulesOf('AllowTcpForwarding no'))
    expect(refusals(strict)[0]).toBe('the configuration of this server allows no local forwarding')
  })
})
