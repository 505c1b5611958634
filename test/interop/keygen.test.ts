import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describeWith } from '../helpers/needs.js'
import { runProgram, SSHJOB_KEYGEN } from '../helpers/programs.js'
import { sshdSuite } from '../helpers/sshd.js'

describeWith(['ssh', 'ssh-keygen'], 'sshjob-keygen', () => {
  const suite = sshdSuite()
  const keygen = (...args: string[]) => runProgram(SSHJOB_KEYGEN, args)

  it.each([
    ['rsa', ['-b', '2048']],
    ['ed25519', []],
  ])('makes keys that OpenSSH takes: %s', async (type, more) => {
    const file = join(suite.folder(), type)
    expect(await keygen('-N', '', '-C', '', '-q', '-f', file, '-t', type, ...more)).toEqual({
      exitCode: 0,
      signal: null,
      stdout: '',
      stderr: '',
    })
    const modes = [file, `${file}.pub`].map((name) => (statSync(name).mode & 0o777).toString(8))
    expect(modes).toEqual(['600', '644'])
    const theirs = await runProgram('ssh-keygen', ['-y', '-f', file])
    expect(theirs.stdout).toBe(readFileSync(`${file}.pub`, 'utf8'))
    expect((await keygen('-y', '-f', file)).stdout).toBe(theirs.stdout)
    const fingerprint = (text: string): string | undefined => /^\d+ SHA256:\S+/.exec(text)?.[0]
    const shown = await runProgram('ssh-keygen', ['-l', '-f', file])
    expect(fingerprint((await keygen('-l', '-f', file)).stdout)).toBe(fingerprint(shown.stdout))

    const config = suite.configure([`HostKey ${file}`])
    const text = readFileSync(config, 'utf8')
    writeFileSync(
      config,
      text
        .replace(/^HostKey \S+\n/, '')
        .replace(/^AuthorizedKeysFile .*$/m, `AuthorizedKeysFile ${file}.pub`),
    )
    writeFileSync(join(suite.folder(), 'known'), `here ${readFileSync(`${file}.pub`, 'utf8')}`)
    const args = suite.args().map((word) => (word === join(suite.folder(), 'client') ? file : word))
    expect((await runProgram('ssh', [...args, 'here', 'echo in'])).stdout).toBe('in\n')
  })

  it.each([
    [['-f', 'FILE', '-N', 'secret'], "Passphrases are not supported: -N ''."],
    [['-f', 'FILE', '-t', 'dsa'], "There are no keys of the type 'dsa': ed25519 or rsa."],
    [['-f', 'FILE', '-t', 'rsa', '-b', '512'], "An rsa key has 1024 to 16384 bits, not '512'."],
    [['-f', 'FILE', '-Z'], 'There is no option -Z.'],
    [['-t', 'rsa'], 'The name of the key is missing: -f FILE.'],
  ])('refuses %j', async (args, message) => {
    const file = join(suite.folder(), 'refused')
    const { exitCode, stderr } = await keygen(...args.map((word) => (word === 'FILE' ? file : word)))
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: `sshjob-keygen: ${message} Run 'sshjob-keygen --help' for the options.\n`,
    })
    expect(existsSync(file)).toBe(false)
  })

  it('writes over nothing, and leaves no half of a pair', async () => {
    const file = join(suite.folder(), 'taken')
    writeFileSync(`${file}.pub`, 'mine')
    const { exitCode, stderr } = await keygen('-f', file, '-q')
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: `sshjob-keygen: ${file}.pub can't be written: it is there already, remove it first.\n`,
    })
    expect(existsSync(file)).toBe(false)
  })
})
