import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { SshjobError } from '../../../../src/core/errors.js'
import { splitArguments } from '../../../../src/engines/htcondor/arguments.js'
import {
  carrierCommand,
  checkCarrierLine,
  describeBrokenLine,
  parseKnownHosts,
  readCarrierKeys,
} from '../../../../src/engines/htcondor/carrier.js'

/** What condor_ssh_to_job makes of the argument of -ssh: quotes, then the percent signs of macros. */
const wordsOf = (text: string): string[] => splitArguments(text).map((word) => word.replaceAll('%%', '%'))

describe('what runs in the place of ssh', () => {
  it('gets the options of HTCondor that were asked for', () => {
    const all = { name: 'ap1', pool: 'cm', shells: '/bin/bash,/bin/sh', anyKey: false, debug: true }
    const command = carrierCommand('12.0', all)
    expect(command.slice(0, command.indexOf('-ssh'))).toEqual([
      ...['condor_ssh_to_job', '-name', 'ap1', '-pool', 'cm', '-shells', '/bin/bash,/bin/sh', '-debug'],
      ...['-keygen-options', '-t ed25519'],
    ])
    expect(command.at(-1)).toBe('12.0')
  })

  it('tells its arguments on one line and becomes the proxy command, with every byte', () => {
    const command = carrierCommand('12.0', { anyKey: true })
    const [program = '', ...words] = wordsOf(command[command.indexOf('-ssh') + 1] ?? '')
    const given = ['-S', 'none', '-oUser=ada', '-oProxyCommand="cat" "-"', 'condor-job.node7']
    const output = execFileSync(program, [...words, ...given], { input: Buffer.from([0, 10, 255, 37]) })
    const end = output.indexOf(10)
    expect(output.subarray(0, end).toString()).toBe(['sshjob-carrier', ...given].join('\0'))
    expect([...output.subarray(end + 1)]).toEqual([0, 10, 255, 37])
    expect(() => checkCarrierLine(output.subarray(0, end))).not.toThrow()
  })

  it('is not called a hello when it does not come', () => {
    const late = describeBrokenLine(new SshjobError('hello-timeout', 'no hello'))
    expect(late).toMatchObject({
      code: 'unreachable',
      message:
        'condor_ssh_to_job made no connection within 120 s: its schedd, or the machine that the job runs on, does not answer.',
      retry: true,
    })
    const lost = new SshjobError('aborted', 'x')
    expect(describeBrokenLine(lost)).toBe(lost)
  })

  it('is noticed when it is something else, at the first byte', () => {
    expect(() => checkCarrierLine(Buffer.from('SSH-2.0'))).toThrow('ran something else')
    expect(() => checkCarrierLine(Buffer.from('sshj'))).not.toThrow()
  })
})

describe('the keys of the carrier', () => {
  let folder = ''
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'sshjob-test-'))
    writeFileSync(path.join(folder, 'ssh_key'), 'the private key\n')
    writeFileSync(path.join(folder, 'known_hosts'), '* ssh-ed25519 AAAA \n')
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  const line = (...words: string[]): Buffer => Buffer.from(['sshjob-carrier', ...words].join('\0'))

  it('come from the files that it named', () => {
    const words = [
      '-oUser=ada',
      `-oIdentityFile=${folder}/ssh_key`,
      `-oUserKnownHostsFile=${folder}/known_hosts`,
      'condor-job.node7',
    ]
    expect(readCarrierKeys(line(...words))).toEqual({
      username: 'ada',
      credentials: { privateKey: 'the private key\n', hostKey: 'ssh-ed25519 AAAA' },
    })
  })

  it('are missed by name', () => {
    expect(() => readCarrierKeys(line('-oUser=ada'))).toThrow(
      'condor_ssh_to_job gave no usable keys: it named no IdentityFile.',
    )
    expect(() => readCarrierKeys(line('-oIdentityFile=/nowhere/key'))).toThrow(
      "its IdentityFile can't be read",
    )
    expect(() => parseKnownHosts('# nothing\n')).toThrow('its UserKnownHostsFile has no key')
  })

  it.each(['* ssh-rsa AAAA', '# a comment\nnode7,10.0.0.7 ssh-rsa AAAA comment\n'])(
    'are read from %j',
    (text) => {
      expect(parseKnownHosts(text)).toBe('ssh-rsa AAAA')
    },
  )
})
