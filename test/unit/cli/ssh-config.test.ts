import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatConfig } from '../../../src/cli/ssh-config.js'
import { describeWith } from '../../helpers/needs.js'

const PARTS = {
  suffix: '.job',
  program: ['/usr/bin/node', '/opt/sshjob/dist/sshjob.js'],
  files: {
    identity: '/run/user/7/sshjob/openssh/id_ed25519',
    knownHosts: ['/run/user/7/sshjob/openssh/known_hosts', '/run/user/7/sshjob/openssh/known_hosts.old'],
  },
} as const

describe('the block for ~/.ssh/config', () => {
  it('begins on a line of its own, whatever the file ended with', () => {
    expect(formatConfig(PARTS)).toMatch(/^\n#/)
  })

  it('starts the program by its full path', () => {
    expect(formatConfig(PARTS)).toContain(
      "    ProxyCommand /usr/bin/node /opt/sshjob/dist/sshjob.js proxy '%h'\n",
    )
  })

  it('quotes a path for the shell and for ssh', () => {
    const program = ['/opt/my node/100%/node', "/home/o'neil/sshjob.js"]
    expect(formatConfig({ ...PARTS, program })).toContain(
      "    ProxyCommand '/opt/my node/100%%/node' '/home/o'\\''neil/sshjob.js' proxy '%h'\n",
    )
  })

  it('tells the proxy of a suffix of its own', () => {
    const config = formatConfig({ ...PARTS, suffix: '.gpu' })
    expect(config).toContain("sshjob.js proxy --host-suffix .gpu '%h'\n")
    expect(config).toContain('\nHost *.gpu "!*\'*"\n')
  })

  it('tells the proxy of a command that leads to the job, and leaves its percent signs to it', () => {
    const config = formatConfig({
      ...PARTS,
      suffix: '.box',
      proxyCommand: 'docker exec -i %h sshjob-server -i',
    })
    expect(config).toContain(
      "proxy --host-suffix .box --proxy-command 'docker exec -i %%h sshjob-server -i' '%h'\n",
    )
  })

  it.each(['', 'job', '.Job', '.', '. x', '*', '.x\nProxyCommand reboot'])(
    'refuses the suffix %j',
    (suffix) => {
      expect(() => formatConfig({ ...PARTS, suffix })).toThrow(/^A host suffix begins with/)
    },
  )

  it('refuses a path that such a file can not hold', () => {
    const files = { ...PARTS.files, identity: '/tmp/a"b/id' }
    expect(() => formatConfig({ ...PARTS, files })).toThrow(/^"\/tmp\/a\\"b\/id" has characters/)
  })
})

describeWith(['ssh'], 'the block, as ssh reads it', () => {
  let folder: string
  let config: string

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'ssh-config-'))
    config = join(folder, 'config')
    writeFileSync(config, `${formatConfig(PARTS)}\nHost *\n    StrictHostKeyChecking no\n    User other\n`)
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const settingsOf = (host: string): string[] =>
    execFileSync('ssh', ['-G', '-F', config, host], { encoding: 'utf8', stdio: 'pipe' }).split('\n')

  it('applies to the names of jobs', () => {
    expect(settingsOf('train.job')).toEqual(
      expect.arrayContaining([
        "proxycommand /usr/bin/node /opt/sshjob/dist/sshjob.js proxy '%h'",
        'identityfile /run/user/7/sshjob/openssh/id_ed25519',
        'identitiesonly yes',
        'preferredauthentications publickey',
        'stricthostkeychecking true',
        'checkhostip no',
        'updatehostkeys false',
        'verifyhostkeydns false',
        'addkeystoagent false',
        `userknownhostsfile ${PARTS.files.knownHosts.join(' ')}`,
      ]),
    )
  })

  it('applies to nothing else', () => {
    expect(settingsOf('train.example.org').join('\n')).not.toContain('sshjob')
  })
})
