import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkHonoured, dumpConfig, resolveConfig } from '../../../src/sshd/config.js'
import type { ConnectionSpec } from '../../../src/sshd/match.js'
import { parseConfig, readConfig } from '../../../src/sshd/read-config.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

const lines = (...text: string[]): string => text.join('\n')
const resolve = (text: string, spec?: ConnectionSpec) =>
  resolveConfig(parseConfig(text, 'config').directives, spec)
const check = (text: string): void => checkHonoured(parseConfig(text, 'config').directives)

describe('a configuration', () => {
  it('takes the first of several lines, whatever the case of its keyword, and a preset where there is none', () => {
    const config = resolve(lines('maxsessions 3', 'MaxSessions 4', 'LoginGraceTime 1m30s # time'))
    expect([
      config.number('MaxSessions'),
      config.number('LoginGraceTime'),
      config.number('MaxAuthTries'),
    ]).toEqual([3, 90, 6])
    expect(config.flag('PermitTTY')).toBe(true)
  })

  it('adds up lines of some keywords', () => {
    const config = resolve(lines('AcceptEnv A B', 'HostKey /a', 'AcceptEnv C', 'HostKey /b'))
    expect(config.all('AcceptEnv').flat()).toEqual(['A', 'B', 'C'])
    expect(config.all('HostKey').flat()).toEqual(['/a', '/b'])
  })

  it('keeps a forced command as it is written', () => {
    expect(resolve('ForceCommand  echo "a  b" # c').word('ForceCommand')).toBe('echo "a  b" # c')
  })

  it('takes keywords by their old names, and warns of those that have none any more', () => {
    const { directives, warnings } = parseConfig(
      lines('PubkeyAcceptedKeyTypes ssh-ed25519', 'UsePrivilegeSeparation sandbox'),
      'f',
    )
    expect(directives.map(({ keyword }) => keyword.name)).toEqual(['PubkeyAcceptedAlgorithms'])
    expect(warnings).toEqual(['f line 2: UsePrivilegeSeparation has no effect any more'])
  })

  it.each([
    ['Nonsense yes', "config line 1: there is no keyword 'Nonsense'."],
    ['Constructor yes', "config line 1: there is no keyword 'Constructor'."],
    ['PermitTTY maybe', "config line 1: 'maybe' is no value for PermitTTY."],
    ['PermitTTY', 'config line 1: PermitTTY needs a value.'],
    ['PermitTTY yes no', 'config line 1: there is more behind PermitTTY than one value.'],
    ['MaxSessions many', "config line 1: 'many' is no value for MaxSessions."],
    ['Banner "/a', 'config line 1: a quote behind Banner is not closed.'],
    ['\n\nRekeyLimit 1x', 'config line 3: RekeyLimit takes a size and a time.'],
    ['Match', 'config line 1: Match needs criteria.'],
    ['Match User', 'config line 1: Match User needs a value.'],
    ['Match Colour red', "config line 1: Match has no criterion 'colour'."],
    [
      'Match Group staff',
      'config line 1: Match Group is not supported: the groups of a name are not looked up.',
    ],
    ['Match Address 10.0.0.1/8', "config line 1: '10.0.0.1/8' has bits set behind a mask."],
    ['Match all\nPort 22', 'config line 2: Port may not stand below Match.'],
    ['Match all User a', "config line 1: 'all' stands alone behind Match."],
    ['Include', 'config line 1: Include needs the name of a file.'],
    ...['&', '0', '65536', '-1', '1.5', '0x16'].map((port) => [
      `Port ${port}`,
      `config line 1: '${port}' is no value for Port.`,
    ]),
    ...['[::1]:0', 'a:&', 'a:', '127.0.0.1:65536', '[::1', ':22', 'a/22', '*'].map((address) => [
      `ListenAddress ${address}`,
      `config line 1: '${address}' is no value for ListenAddress.`,
    ]),
  ])('%j is an error with its line', (text, message) => {
    expect(() => parseConfig(text, 'config')).toThrow(message)
  })
})

describe('Match', () => {
  const text = lines(
    'Banner /global',
    'Match User a*,!ann',
    '  Banner /user',
    'Match Address 10.0.0.0/8 LocalPort 22',
    '  Banner /address',
    'Match Host *.example.org',
    '  Banner /host',
    'Match LocalAddress=::1',
    '  Banner /local',
  )
  it.each<[ConnectionSpec | undefined, string]>([
    [undefined, '/global'],
    [{}, '/global'],
    [{ user: 'alice' }, '/user'],
    [{ user: 'ann' }, '/global'],
    [{ address: '10.1.1.1', localPort: 22 }, '/address'],
    [{ address: '10.1.1.1', localPort: 23 }, '/global'],
    [{ user: 'alice', address: '10.1.1.1', localPort: 22 }, '/user'],
    [{ host: 'A.Example.org' }, '/host'],
    [{ localAddress: '::1' }, '/local'],
  ])('%j has %s', (spec, banner) => {
    expect(resolve(text, spec).word('Banner')).toBe(banner)
  })

  it('overrides what adds up, and leaves it where it says nothing', () => {
    const config = lines('AllowUsers a', 'AcceptEnv A', 'Match User a', 'AllowUsers b', 'AllowUsers c')
    expect(resolve(config, { user: 'a' }).all('AllowUsers').flat()).toEqual(['b', 'c'])
    expect(resolve(config, { user: 'a' }).all('AcceptEnv').flat()).toEqual(['A'])
    expect(resolve(config, { user: 'x' }).all('AllowUsers').flat()).toEqual(['a'])
  })
})

describe('Include', () => {
  const directory = temporaryDirectory()
  const write = (name: string, ...text: string[]): string => {
    const file = join(directory(), name)
    writeFileSync(file, text.join('\n'))
    return file
  }

  it('ends at a limit, however long a file is', () => {
    expect(() => parseConfig('Include /dev/zero', 'config')).toThrow(
      'The configuration is larger than 4194304 bytes.',
    )
  })

  it('reads files in the order of their names, below the Match that it stands in', () => {
    mkdirSync(join(directory(), 'd'))
    write('d/2.conf', 'Match User a', 'Banner /second')
    write('d/1.conf', 'Match User b', 'Banner /first')
    write('d/.3.conf', 'Nonsense')
    const file = write(
      'main',
      'Match Host h',
      `Include ${directory()}/d/*.conf`,
      'MaxSessions 1',
      'Match all',
      'MaxAuthTries 2',
    )
    const { directives } = readConfig(file)
    const banner = (spec: ConnectionSpec) => resolveConfig(directives, spec).word('Banner')
    expect(banner({ user: 'a', host: 'h' })).toBe('/second')
    expect(banner({ user: 'b', host: 'h' })).toBe('/first')
    expect(banner({ user: 'a', host: 'x' })).toBe('none')
    // What an included file matches ends with it.
    expect(resolveConfig(directives, { user: 'x', host: 'h' }).number('MaxSessions')).toBe(1)
  })

  it('passes over a file that is not there, and says where an error is', () => {
    const bad = write('bad', '', 'Nonsense')
    const file = write('main', `Include ${directory()}/nothing`, `Include ${bad}`)
    expect(() => readConfig(file)).toThrow(`${bad} line 2: there is no keyword 'Nonsense'.`)
  })

  it('of itself is an error', () => {
    const file = join(directory(), 'loop')
    writeFileSync(file, `Include ${file}`)
    expect(() => readConfig(file)).toThrow('files include each other too deeply')
  })

  it('and a configuration that is not there is one', () => {
    expect(() => readConfig('/nowhere/config')).toThrow(
      "The configuration /nowhere/config can't be read: no such file or directory (ENOENT).",
    )
  })
})

describe('what can not be honoured', () => {
  const UNSAFE = 'is not supported by sshjob-server, and ignoring it would be unsafe.'
  it.each([
    ['UsePAM yes', `config line 1: UsePAM ${UNSAFE} It may be no.`],
    ['ChrootDirectory /jail', `config line 1: ChrootDirectory ${UNSAFE} It may be none.`],
    ['AllowGroups staff', `config line 1: AllowGroups ${UNSAFE} Leave it out.`],
    ['\nMatch User a\nChrootDirectory /jail', `config line 3: ChrootDirectory ${UNSAFE} It may be none.`],
    [
      'AuthenticationMethods publickey,password',
      `config line 1: AuthenticationMethods ${UNSAFE} It may be any or publickey.`,
    ],
    ['Ciphers 3des-cbc', 'config line 1: sshjob-server has none of the algorithms of Ciphers.'],
    ['PermitOpen localhost', "config line 1: 'localhost' is no HOST:PORT."],
    [
      'ForceCommand internal-sftp -R',
      'config line 1: internal-sftp is served by sshjob-server, which has no option -R.',
    ],
    [
      'ForceCommand internal-sftp -d %h',
      'config line 1: internal-sftp is served by sshjob-server, whose -d is a folder without tokens.',
    ],
    ['DenyUsers a@10.0.0.1/8', 'config line 1: a network of DenyUsers has bits set behind its mask.'],
    ['SetEnv A', "config line 1: 'A' sets no variable."],
    ['Subsystem a b\nSubsystem a c', "config line 2: there is a subsystem 'a' already."],
    [
      'Subsystem sftp internal-sftp -R',
      'config line 1: internal-sftp is served by sshjob-server, which has no option -R.',
    ],
    [
      'Subsystem sftp /no/sftp-server -P x',
      'config line 1: /no/sftp-server is served by sshjob-server, which has no option -P.',
    ],
  ])('%j is refused by name', (text, message) => {
    expect(() => check(text)).toThrow(message)
  })

  it.each([
    'UsePAM no',
    'UsePAM no\nUsePAM yes',
    'ChrootDirectory none',
    'PasswordAuthentication yes',
    'AuthenticationMethods any',
    'AuthenticationMethods publickey',
    'Subsystem sftp internal-sftp -f AUTH -l INFO',
    'Subsystem sftp SFTP_SERVER-NOTFOUND',
    'Subsystem sftp /bin/sh -R',
    'ForceCommand internal-sftp -d /tmp',
    'ForceCommand internal-sftp-of-mine -R',
    'Ciphers 3des-cbc,aes128-ctr',
    'PermitOpen none',
    'PermitListen 80 localhost:* [::1]:90',
  ])('%j is not', (text) => {
    expect(() => check(text)).not.toThrow()
  })
})

describe('algorithms', () => {
  const dumped = (text: string, name: string): string | undefined =>
    dumpConfig(resolve(text))
      .split('\n')
      .find((line) => line.startsWith(`${name} `))
      ?.slice(name.length + 1)

  it.each([
    ['MACs hmac-sha2-512,umac-64@openssh.com,hmac-sha2-256', 'macs', 'hmac-sha2-512,hmac-sha2-256'],
    ['MACs hmac-sha2-5*', 'macs', 'hmac-sha2-512-etm@openssh.com,hmac-sha2-512'],
    ['MACs -*-etm@openssh.com', 'macs', 'hmac-sha2-256,hmac-sha2-512'],
    [
      'PubkeyAcceptedAlgorithms +ssh-rsa',
      'pubkeyacceptedalgorithms',
      'ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,rsa-sha2-512,rsa-sha2-256,ssh-rsa',
    ],
    ['PubkeyAcceptedAlgorithms -ecdsa*,rsa*', 'pubkeyacceptedalgorithms', 'ssh-ed25519'],
    [
      'Ciphers ^aes256-ctr',
      'ciphers',
      'aes256-ctr,aes128-gcm@openssh.com,aes256-gcm@openssh.com,chacha20-poly1305@openssh.com,aes128-ctr,aes192-ctr',
    ],
  ])('%j leaves these', (text, name, list) => {
    expect(dumped(text, name)).toBe(list)
  })
})

describe('the dump', () => {
  // As sshd -T prints them, but that neither hosts nor services are looked up.
  it.each([
    ['Port 022', ['[::]:22', '0.0.0.0:22']],
    ['Port ssh', ['[::]:ssh', '0.0.0.0:ssh']],
    ['ListenAddress ::1', ['[::1]:22']],
    ['ListenAddress fe80::1%eth0', ['[fe80::1%eth0]:22']],
    ['ListenAddress ::1:22', ['[::1:22]:22']],
    ['ListenAddress [::1]:ssh', ['[::1]:ssh']],
    ['ListenAddress localhost:65535', ['localhost:65535']],
    ['ListenAddress [127.0.0.1]', ['[127.0.0.1]:22']],
    ['Port 1\nPort 2\nListenAddress a\nListenAddress b:3', ['a:1', 'a:2', 'b:3']],
  ])('of %j listens where sshd would', (text, addresses) => {
    const dumped = dumpConfig(resolve(text))
    const found = [...dumped.matchAll(/^listenaddress (.*)$/gm)].map(([, address]) => address)
    expect(found).toEqual(addresses)
    expect(dumpConfig(resolve(dumped))).toBe(dumped)
  })

  it('can be read again, and is the same then', () => {
    const text = lines(
      'SetEnv A="b c"',
      'ForceCommand a  "b"',
      'ListenAddress ::1',
      'Port 1',
      'Port 2',
      'RekeyLimit 1k 1h',
      'AcceptEnv X*',
      'PermitRootLogin forced-commands-only',
    )
    const first = dumpConfig(resolve(text))
    expect(dumpConfig(resolve(first))).toBe(first)
    for (const line of [
      'setenv "A=b c"',
      'forcecommand a  "b"',
      'listenaddress [::1]:2',
      'rekeylimit 1024 3600',
    ]) {
      expect(first.split('\n')).toContain(line)
    }
  })
})
