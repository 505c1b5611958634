import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { closeBridges, openBridge } from '../helpers/bridge.js'
import { sha256 } from '../helpers/bytes.js'
import { also, type Client, describeClient, PLINK, PSCP, PSFTP } from '../helpers/clients.js'
import { writeSshConfig } from '../helpers/openssh.js'
import { type ProgramResult, type RunningProgram, runProgram, startProgram } from '../helpers/programs.js'
import { starterSuite, type TestUser } from '../helpers/starter.js'

const DONE = { exitCode: 0, signal: null }
const ADDRESS = 'anybody@127.0.0.1'

/** A job of a user who has a key in PuTTY's own format, and the options with which PuTTY's programs enter it. */
function suite(): { user: () => TestUser; options: () => Promise<string[]> } {
  const { user, start } = starterSuite()
  closeBridges()
  const key = (): string => join(user().folder, 'key.ppk')
  beforeAll(async () => {
    const { env, folder } = user()
    await writeSshConfig(user()) // makes the identity
    const identity = join(folder, 'run/sshjob/openssh/id_ed25519')
    const made = await runProgram('puttygen', [identity, '-O', 'private', '-o', key()], { env })
    expect(made).toMatchObject({ exitCode: 0, stderr: '' })
  })
  beforeEach(() => start({ cwd: user().folder }))
  return {
    user,
    async options() {
      const { port, fingerprints } = await openBridge(user())
      const trust = ['-i', key(), '-hostkey', `SHA256:${fingerprints.ed25519}`]
      return ['-batch', '-noagent', ...trust, '-P', String(port)]
    },
  }
}

describeClient(PLINK, 'commands and terminals', () => {
  const { user, options } = suite()

  async function plink(
    more: readonly string[],
    command: string[],
    stdin: string | Buffer = '',
  ): Promise<RunningProgram> {
    const args = [...(await options()), '-ssh', ...more, ADDRESS, ...command]
    return startProgram('plink', args, { env: user().env, stdin })
  }

  it('runs a command and gives its exit status', async () => {
    const program = await plink([], ['echo out; echo err >&2; exit 7'])
    expect(await program.ended).toEqual({ exitCode: 7, signal: null })
    expect(program.stdout().toString()).toBe('out\n')
    expect(program.stderr().toString()).toContain('err\n')
  })

  it('passes 10 MB both ways, unchanged, with the answers to winadj@putty that its windows wait for', async () => {
    const data = randomBytes(10_000_000)
    const program = await plink([], ['cat'], data)
    expect(await program.ended).toEqual(DONE)
    expect(sha256(program.stdout())).toBe(sha256(data))
  })

  it('gets a terminal with -t', async () => {
    const program = await plink(['-t'], ['tty; echo $TERM; exit 4'])
    expect((await program.ended).exitCode).toBe(4)
    expect(program.stdout().toString()).toMatch(/^\/dev\/pts\/\d+\r\nxterm\r\n/)
  })

  it('runs a shell that is typed into', async () => {
    const program = await plink(['-t'], [], 'echo a$((1+1))b; exit 5\n')
    expect((await program.ended).exitCode).toBe(5)
    expect(program.stdout().toString()).toContain('a2b\r\n')
  })
})

/** Folders on both sides, and a file in the one here. */
function folders({ folder }: TestUser, name: string): { here: string; there: string; data: Buffer } {
  const [here, there] = [join(folder, name, 'here'), join(folder, name, 'there')]
  for (const path of [here, there]) mkdirSync(path, { recursive: true })
  const data = randomBytes(5_000_001)
  writeFileSync(join(here, 'data'), data)
  return { here, there, data }
}

/** One suite for each protocol: OpenSSH's scp, which the second runs in the job, wants an account. */
function describePscp(client: Client, about: string, protocol: string): void {
  describeClient(client, about, () => {
    const { user, options } = suite()

    it('copies a file and a folder into the job and back', async () => {
      const { here, there, data } = folders(user(), protocol)
      const pscp = async (...args: string[]): Promise<ProgramResult> =>
        runProgram('pscp', ['-q', protocol, ...(await options()), ...args], { env: user().env, cwd: here })
      mkdirSync(join(here, 'tree/inner'), { recursive: true })
      writeFileSync(join(here, 'tree/inner/data'), data)
      expect(await pscp('data', `${ADDRESS}:${there}/up`)).toMatchObject(DONE)
      expect(await pscp(`${ADDRESS}:${there}/up`, 'back')).toMatchObject(DONE)
      expect(await pscp('-r', 'tree', `${ADDRESS}:${there}`)).toMatchObject(DONE)
      expect(await pscp('-r', `${ADDRESS}:${there}/tree`, 'tree-back')).toMatchObject(DONE)
      for (const copy of ['back', 'tree-back/inner/data']) {
        expect(sha256(readFileSync(join(here, copy)))).toBe(sha256(data))
      }
    })
  })
}

describePscp(PSCP, 'over SFTP', '-sftp')
describePscp(also(PSCP, 'scp'), "over the job's scp", '-scp')

describeClient(PSFTP, 'files', () => {
  const { user, options } = suite()

  it('puts and gets files and trees, makes, renames, changes and removes', async () => {
    const { here, there, data } = folders(user(), 'psftp')
    mkdirSync(join(here, 'tree/inner'), { recursive: true })
    writeFileSync(join(here, 'tree/inner/data'), data)
    const script = join(here, 'script')
    writeFileSync(
      script,
      `cd ${there}
pwd
put data up
mkdir made
mv up made/moved
chmod 640 made/moved
get made/moved back
put -r tree
get -r tree tree-back
rm tree/inner/data
dir made
`,
    )
    const args = [...(await options()), '-b', script, ADDRESS]
    const result = await runProgram('psftp', args, { env: user().env, cwd: here })
    expect(result).toMatchObject(DONE)
    expect(result.stdout).toMatch(/-rw-r----- .* moved/)
    for (const copy of ['back', 'tree-back/inner/data']) {
      expect(sha256(readFileSync(join(here, copy)))).toBe(sha256(data))
    }
    const left = await runProgram('ls', [join(there, 'tree/inner')])
    expect(left.stdout).toBe('')
  })
})
