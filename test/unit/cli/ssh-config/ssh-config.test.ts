import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatConfig } from '../../../../src/cli/ssh-config/ssh-config.js'
import { describeWith } from '../../../helpers/needs.js'

const PARTS = {
  suffix: '.job',
  program: ['/usr/bin/node', '/opt/sshjob/dist/sshjob.js'],
  files: {
    directory: '/tmp/sshjob-7/openssh',
    identities: ['/tmp/sshjob-7/openssh/id_ed25519', '/tmp/sshjob-7/openssh/id_ecdsa'],
    knownHosts: '/tmp/sshjob-7/openssh/known_hosts',
  },
} as const

describe('the block for ~/.ssh/config', () => {
  it('is what it is', () => {
    expect(formatConfig(PARTS)).toBe(`# >>> sshjob .job >>>
# 'ssh JOB.job' enters the job JOB of this user on this machine; so do scp, rsync and git. Written by
# 'sshjob ssh-config'. The first value counts in this file: what stands above, as in 'Host *', wins.
Host *.job "!*'*"
    ProxyCommand /usr/bin/node /opt/sshjob/dist/sshjob.js proxy --keys /tmp/sshjob-7/openssh '%h'
    IdentityFile /tmp/sshjob-7/openssh/id_ed25519
    IdentityFile /tmp/sshjob-7/openssh/id_ecdsa
    IdentitiesOnly yes
    PreferredAuthentications publickey
    UserKnownHostsFile /tmp/sshjob-7/openssh/known_hosts
    StrictHostKeyChecking yes
    CheckHostIP no
    VerifyHostKeyDNS no
    UpdateHostKeys no
    AddKeysToAgent no
Host *
# <<< sshjob .job <<<
`)
  })

  it('silences ssh about its key exchange for these hosts, if it would say something', () => {
    const config = formatConfig({ ...PARTS, ignored: ['UseKeychain', 'WarnWeakCrypto'] })
    expect(config).toContain('\nHost *\n    IgnoreUnknown WarnWeakCrypto,UseKeychain\nHost *.job "!*\'*"\n')
    expect(config).toContain('\n    WarnWeakCrypto no-pq-kex\nHost *\n# <<<')
  })

  it('quotes a path for the shell and for ssh', () => {
    const program = ['/opt/my node/100%/node', "/home/o'neil/sshjob.js"]
    expect(formatConfig({ ...PARTS, program })).toContain(
      "    ProxyCommand '/opt/my node/100%%/node' '/home/o'\\''neil/sshjob.js' proxy --keys /tmp/sshjob-7/openssh '%h'\n",
    )
  })

  it('tells the proxy of a suffix of its own', () => {
    const config = formatConfig({ ...PARTS, suffix: '.gpu' })
    expect(config).toContain("sshjob.js proxy --keys /tmp/sshjob-7/openssh --host-suffix .gpu '%h'\n")
    expect(config).toContain('\nHost *.gpu "!*\'*"\n')
  })

  it('tells the proxy of a command that leads to the job, and leaves its percent signs to it', () => {
    const config = formatConfig({
      ...PARTS,
      suffix: '.box',
      proxyCommand: 'docker exec -i %h sshjob-server -i',
    })
    expect(config).toContain(
      "proxy --keys /tmp/sshjob-7/openssh --host-suffix .box --proxy-command 'docker exec -i %%h sshjob-server -i' '%h'\n",
    )
  })

  it('refuses a path that such a file can not hold', () => {
    const files = { ...PARTS.files, knownHosts: '/tmp/a"b/id' }
    expect(() => formatConfig({ ...PARTS, files })).toThrow(/^"\/tmp\/a\\"b\/id" has characters/)
  })

  it('quotes a path that needs it', () => {
    const files = { ...PARTS.files, knownHosts: '/tmp/a b/known' }
    expect(formatConfig({ ...PARTS, files })).toContain('    UserKnownHostsFile "/tmp/a b/known"\n')
  })
})

describeWith(['ssh'], 'the block, as ssh reads it', () => {
  let folder: string
  let config: string

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'ssh-config-'))
    config = join(folder, 'config')
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const OWN = 'User general\n\nHost *\n    StrictHostKeyChecking no\n    Port 7\n'

  function settingsOf(host: string, text: string): string[] {
    writeFileSync(config, text)
    return execFileSync('ssh', ['-G', '-F', config, host], { encoding: 'utf8', stdio: 'pipe' }).split('\n')
  }

  it('applies to the names of jobs', () => {
    expect(settingsOf('train.job', formatConfig(PARTS) + OWN)).toEqual(
      expect.arrayContaining([
        "proxycommand /usr/bin/node /opt/sshjob/dist/sshjob.js proxy --keys /tmp/sshjob-7/openssh '%h'",
        'identityfile /tmp/sshjob-7/openssh/id_ed25519',
        'identityfile /tmp/sshjob-7/openssh/id_ecdsa',
        'identitiesonly yes',
        'preferredauthentications publickey',
        'stricthostkeychecking true',
        'checkhostip no',
        'updatehostkeys false',
        'verifyhostkeydns false',
        'addkeystoagent false',
        'userknownhostsfile /tmp/sshjob-7/openssh/known_hosts',
      ]),
    )
  })

  it('applies to nothing else, and leaves what stands below it as it was, also what is for all hosts', () => {
    const without = settingsOf('train.example.org', OWN)
    expect(without).toEqual(expect.arrayContaining(['user general', 'port 7']))
    expect(settingsOf('train.example.org', formatConfig(PARTS) + OWN)).toEqual(without)
    expect(settingsOf('train.job', formatConfig(PARTS) + OWN)).toContain('user general')
  })

  it('is taken also by an ssh that does not know what it silences, for every host', () => {
    const own = `${OWN}Host *\n    IgnoreUnknown UseKeychain\n    UseKeychain yes\n`
    const text = formatConfig({ ...PARTS, ignored: ['UseKeychain'] }) + own
    for (const host of ['train.job', 'train.example.org']) {
      expect(settingsOf(host, text)).toContain('user general')
    }
  })
})
