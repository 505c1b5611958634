import assert from 'node:assert/strict'
import fc from 'fast-check'
import { SshjobError } from '../../../src/core/errors.js'
import { generateKey } from '../../../src/ssh/keys.js'
import { parseAuthorizedKeys } from '../../../src/sshd/authorized-keys.js'
import { checkHonoured, dumpConfig, resolveConfig } from '../../../src/sshd/config.js'
import { KEYWORDS } from '../../../src/sshd/keywords.js'
import { parseConfig } from '../../../src/sshd/read-config.js'
import { mutated } from '../core/mutations.js'
import { type Script, say } from '../core/script.js'
import type { OpenTarget, Target } from '../core/target.js'

const SPEC = { user: 'alice', host: 'h', address: '10.0.0.1', localAddress: '::1', localPort: 22 }

const word = fc.oneof(
  fc.constantFrom(
    ...[
      'yes',
      'no',
      'none',
      'any',
      '1',
      '10m',
      '1k',
      '"a b"',
      'a=b',
      '*',
      '!a',
      '10.0.0.0/8',
      'all',
      'User',
      'Address',
    ],
    ...[
      'Port',
      'LocalAddress',
      'alice',
      '#',
      '"',
      "'",
      '\\',
      '%h',
      '%%',
      '+aes',
      '-aes',
      '^aes',
      '\x24{HOME}',
      '0x1p3',
    ],
  ),
  fc.string({ maxLength: 8 }),
  fc.string({ unit: 'binary', maxLength: 4 }),
)
const keyword = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...KEYWORDS.map(({ name }) => name), 'Match') },
  { weight: 1, arbitrary: fc.string({ maxLength: 12 }) },
)
const invented = fc
  .tuple(keyword, fc.constantFrom(' ', '=', '\t', ' = ', ''), fc.array(word, { maxLength: 4 }))
  .map(([name, between, words]) => `${name}${between}${words.join(' ')}`)
/** As administrators write them. */
const usual = fc.constantFrom(
  ...[
    'Port 22',
    'PermitTTY no',
    'AllowUsers alice bob@10.0.0.*',
    'DenyGroups a',
    'AcceptEnv LANG LC_*',
    'Banner none',
  ],
  ...[
    'Match User alice',
    'Match all',
    'Match Address 10.0.0.0/8,!10.1.0.0/16',
    'Match Host h LocalPort 22',
    '# comment',
  ],
  ...[
    'ForceCommand internal-sftp',
    'AuthorizedKeysFile .ssh/a "b c"',
    'ClientAliveInterval 10m',
    'MaxSessions 3',
  ],
  ...[
    'Subsystem sftp internal-sftp -d /x',
    'AllowTcpForwarding local',
    'PermitOpen h:1 *:2',
    'PermitListen 1',
    '',
  ],
  ...[
    'RekeyLimit 1G 1h',
    'Ciphers +aes128-ctr',
    'SetEnv A=b C="d e"',
    'HostKey /k',
    'X11Forwarding yes',
    'UsePAM no',
  ],
)
const line = fc
  .oneof({ weight: 12, arbitrary: usual }, { weight: 1, arbitrary: invented })
  .map((text) => say(Buffer.from(text)))

/** The outcome, or undefined for an error that is one of a user. */
function orRefusal<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof SshjobError)) throw error
    return undefined
  }
}

/** A configuration of sshd is read or refused, and what was read can be asked for anything, and written down again. */
async function examineConfig(script: Script): Promise<string> {
  const lines = script.map(({ bytes }) => bytes.toString())
  // What it would include are files of this machine.
  const text = lines.filter((one) => !/include/i.test(one)).join('\n')
  const read = orRefusal(() => parseConfig(text, 'config'))
  if (read === undefined) return 'refused'
  const honoured = orRefusal(() => {
    checkHonoured(read.directives)
    return true
  })
  for (const spec of [undefined, SPEC]) {
    const config = resolveConfig(read.directives, spec)
    for (const { name } of KEYWORDS) config.all(name)
    const dumped = dumpConfig(config)
    if (honoured !== true || dumped.includes('\r')) continue
    assert.equal(dumpConfig(resolveConfig(parseConfig(dumped, 'dump').directives)), dumped)
  }
  return honoured === true ? 'honoured' : 'not honoured'
}

const { publicKey } = generateKey()
/** Stands in scripts for a key. */
const KEY = '<a key>'

const option = fc.constantFrom(
  ...[
    'restrict',
    'no-pty',
    'pty',
    'no-port-forwarding',
    'port-forwarding',
    'user-rc',
    'NO-PTY',
    'no-user-rc',
  ],
  ...[
    'command="a,no-pty \\"b"',
    'from="10.0.0.1"',
    'permitopen="h:1"',
    'permitlisten="1"',
    'environment="A=b"',
  ],
  ...['expiry-time="20380101Z"', 'tunnel="1"', 'cert-authority', 'verify-required', 'principals="a"'],
  ...['no-touch-required', 'invented', 'no-', 'pty="a"', '', 'from=10.0.0.1', '"', '\\"', 'command="'],
)
const options = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.array(option, { minLength: 1, maxLength: 5 }).map((list) => `${list.join(',')} `),
  },
  { weight: 2, arbitrary: fc.constant('') },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) },
)
const keyLine = fc
  .tuple(
    options,
    fc.constantFrom(KEY, KEY, KEY, `${KEY} a comment`, `# ${KEY}`, KEY.slice(2), 'ssh-rsa AAAA', ''),
  )
  .map(([list, key]) => say(Buffer.from(`${list}${key}`)))

/** The options of a line, without what stands in quotes. */
function optionsOf(text: string): string[] {
  const end = text.indexOf(publicKey)
  return text
    .slice(0, Math.max(end, 0))
    .trim()
    .replaceAll(/"(\\"|[^"])*"/g, '')
    .toLowerCase()
    .split(',')
}

/**
 * A file of keys is read without an error, and has no other keys than those that stand there; none of the options that
 * restrict is lost, and none is taken that is not honoured.
 */
async function examineKeys(script: Script): Promise<string> {
  const whole = script.map(({ bytes }) => bytes.toString().replaceAll(KEY, publicKey)).join('\n')
  const { keys } = parseAuthorizedKeys(whole)
  for (const { blob, options, line } of keys) {
    const text = whole.split('\n')[line - 1] ?? ''
    assert.ok(text.includes(blob.toString('base64').replace(/=+$/, '')))
    const said = optionsOf(text)
    const last = (name: string): boolean =>
      said.lastIndexOf(name) >= Math.max(said.lastIndexOf(`no-${name}`), said.lastIndexOf('restrict'))
    assert.equal(options.pty, last('pty'))
    assert.equal(options.portForwarding, last('port-forwarding'))
    assert.equal(options.command !== undefined, said.includes('command='))
    assert.equal(options.from !== undefined, said.includes('from='))
    for (const refused of ['cert-authority', 'verify-required', 'invented'])
      assert.ok(!said.includes(refused))
  }
  return keys.length > 0 ? 'has keys' : 'has none'
}

const target = (
  name: string,
  lines: fc.Arbitrary<Script[number]>,
  outcomes: readonly string[],
  run: OpenTarget['run'],
): Target => ({
  name,
  scripts: mutated(fc.array(lines, { minLength: 1, maxLength: 8 })),
  outcomes,
  cases: 1_000,
  open: async () => ({ run, close: async () => undefined }),
})

export const SSHD_TARGETS: readonly Target[] = [
  target('sshd-config', line, ['honoured', 'not honoured', 'refused'], examineConfig),
  target('authorized-keys', keyLine, ['has keys', 'has none'], examineKeys),
]
