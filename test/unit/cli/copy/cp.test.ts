import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import { join } from 'node:path'
import { until } from '../../../helpers/bytes.js'
import { serverOf } from '../../../helpers/processes.js'
import { type ProgramResult, runProgram, SSHJOB, startProgram } from '../../../helpers/programs.js'
import { killStarter, starterSuite } from '../../../helpers/starter.js'

const DONE = { exitCode: 0, stdout: '', stderr: '' }

describe('sshjob cp', () => {
  const { user, start } = starterSuite()
  const data = randomBytes(3_000_001)
  let here = ''
  let there = ''
  beforeEach(async () => {
    here = fs.mkdtempSync(join(user().folder, 'here-'))
    there = fs.mkdtempSync(join(user().folder, 'there-'))
    await start({ cwd: there })
  })
  // What was copied without the right to write can't be removed by a plain user.
  afterEach(() => {
    for (const name of fs.readdirSync(user().folder, { recursive: true, encoding: 'latin1' })) {
      const path = Buffer.from(`${user().folder}/${name}`, 'latin1')
      if (fs.lstatSync(path).isDirectory()) fs.chmodSync(path, 0o700)
    }
  })
  const cp = (...args: string[]): Promise<ProgramResult> =>
    runProgram(SSHJOB, ['cp', ...args], { env: user().env, cwd: here })

  function makeTree(root: string): void {
    fs.mkdirSync(join(root, 'tree/inner/empty'), { recursive: true })
    fs.writeFileSync(join(root, 'tree/data'), data, { mode: 0o640 })
    for (let n = 0; n < 50; n++) fs.writeFileSync(join(root, `tree/inner/file ${n}`), `content ${n}`)
    const odd = Buffer.concat([Buffer.from(`${root}/tree/`), Buffer.from([0xff])])
    fs.mkdirSync(odd)
    fs.writeFileSync(Buffer.concat([odd, Buffer.from('/'), Buffer.from([0xc3])]), 'no UTF-8')
    fs.symlinkSync(Buffer.from([0xff, 0x2f, 0xc3]), Buffer.concat([odd, Buffer.from([0xfe])]))
    fs.symlinkSync('inner/file 1', join(root, 'tree/link'))
    fs.chmodSync(join(root, 'tree/inner'), 0o500)
    fs.utimesSync(join(root, 'tree/data'), 1_000_000_000, 1_100_000_000.9998)
    fs.utimesSync(join(root, 'tree/inner'), 1_000_000_000, 1_200_000_000.9998)
  }

  function describeTree(root: string, withTimes: boolean): string[] {
    return fs
      .readdirSync(root, { recursive: true, encoding: 'latin1' })
      .map((name) => {
        const path = Buffer.concat([Buffer.from(`${root}/`), Buffer.from(name, 'latin1')])
        const stats = fs.lstatSync(path)
        const content = stats.isFile() ? fs.readFileSync(path).toString('latin1').length : 0
        const times =
          withTimes && !stats.isSymbolicLink() ? [stats.mode, Math.floor(stats.mtimeMs / 1000)] : []
        return [name, stats.isDirectory(), stats.isSymbolicLink(), content, ...times].join(' ')
      })
      .sort()
  }

  it('--wait waits for a job that has not started', async () => {
    fs.writeFileSync(join(here, 'a'), 'waited')
    const copy = startProgram(SSHJOB, ['cp', '--wait', 'a', 'later:'], { env: user().env, cwd: here })
    await copy.waitFor(/^sshjob: Waiting for job later\./)
    await start({ id: 'later', cwd: there })
    expect(await copy.ended).toEqual({ exitCode: 0, signal: null })
    expect(fs.readFileSync(join(there, 'a'), 'utf8')).toBe('waited')
    expect(await cp('--wait=0', 'a', 'never:')).toMatchObject({ exitCode: 255 })
    expect((await cp('--wait=x', 'a', 'never:')).stderr).toMatch(/^sshjob: --wait takes a number of seconds/)
  })

  it('copies a file in and out, and says nothing', async () => {
    fs.writeFileSync(join(here, 'a'), data)
    expect(await cp('a', 'train:')).toMatchObject(DONE)
    expect(await cp('train:a', 'back')).toMatchObject(DONE)
    expect(fs.readFileSync(join(there, 'a')).equals(data)).toBe(true)
    expect(fs.readFileSync(join(here, 'back')).equals(data)).toBe(true)
  })

  it('copies a tree both ways, with permissions and times', async () => {
    makeTree(here)
    expect(await cp('-rp', 'tree', 'train:copy')).toMatchObject(DONE)
    expect(describeTree(join(there, 'copy'), true)).toEqual(describeTree(join(here, 'tree'), true))
    expect(await cp('-r', '-p', 'train:copy', '.')).toMatchObject(DONE)
    expect(describeTree(join(here, 'copy'), true)).toEqual(describeTree(join(here, 'tree'), true))
    expect(fs.readFileSync(join(here, 'copy/data')).equals(data)).toBe(true)
  })

  it.each([
    ['without -p', [], 0o755, 0o777 & ~process.umask()],
    ['with -p', ['-p'], 0o755, 0o1777],
  ])('%s copies no set-user-ID and no set-group-ID, either way', async (_title, options, file, folder) => {
    fs.mkdirSync(join(here, 'tree'))
    fs.writeFileSync(join(here, 'tree/program'), '')
    fs.chmodSync(join(here, 'tree/program'), 0o6755)
    fs.chmodSync(join(here, 'tree'), 0o7777)
    fs.cpSync(join(here, 'tree'), join(there, 'original'), { recursive: true })
    fs.chmodSync(join(there, 'original/program'), 0o6755)
    fs.chmodSync(join(there, 'original'), 0o7777)
    expect(await cp('-r', ...options, 'tree', 'train:copy')).toMatchObject(DONE)
    expect(await cp('-r', ...options, 'train:original', 'copy')).toMatchObject(DONE)
    const mode = (path: string): string => (fs.statSync(path).mode & 0o7777).toString(8)
    for (const root of [here, there]) {
      expect(mode(join(root, 'copy'))).toBe(folder.toString(8))
      expect(mode(join(root, 'copy/program'))).toBe(file.toString(8))
    }
  })

  it('takes names that are not UTF-8', async () => {
    makeTree(here)
    // A shell makes those bytes: Node.js would encode them.
    const script = `odd=$(printf '\\377'); exec "$0" "$1" cp -r tree/"$odd" train:`
    const back = `odd=$(printf '\\377'); exec "$0" "$1" cp -r train:"$odd" .`
    for (const line of [script, back]) {
      const result = await runProgram('sh', ['-c', line, process.execPath, SSHJOB], {
        env: user().env,
        cwd: here,
      })
      expect(result).toMatchObject(DONE)
    }
    const folder = (root: string): Buffer => Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xff])])
    const file = (root: string): Buffer =>
      Buffer.concat([folder(root), Buffer.from('/'), Buffer.from([0xc3])])
    for (const root of [there, here]) expect(fs.readFileSync(file(root), 'utf8')).toBe('no UTF-8')
    const missing = await runProgram(
      'sh',
      ['-c', `exec "$0" "$1" cp "$(printf 'a\\377')" train:`, process.execPath, SSHJOB],
      { env: user().env, cwd: here },
    )
    expect(missing).toMatchObject({ exitCode: 255, stderr: 'sshjob: a\ufffd does not exist here.\n' })
  })

  it('goes on where it broke off', async () => {
    fs.writeFileSync(join(here, 'a'), data)
    fs.writeFileSync(join(there, 'a'), data.subarray(0, 1_000_000))
    expect(await cp('--resume', 'a', 'train:')).toMatchObject(DONE)
    expect(fs.readFileSync(join(there, 'a')).equals(data)).toBe(true)
    fs.writeFileSync(join(there, 'a'), 'another file')
    const refused = await cp('--resume', 'a', 'train:')
    expect(refused.stderr).toContain('is not the beginning of this file')
    expect(refused.exitCode).toBe(255)
  })

  it.each(['-rp', '-a'])(
    '%s does not give the mode of a folder to what a link in its place leads to',
    async (option) => {
      makeTree(here)
      fs.chmodSync(join(here, 'tree/inner'), 0o777)
      fs.mkdirSync(join(there, 'private'), { mode: 0o700 })
      fs.utimesSync(join(there, 'private'), 1, 1)
      fs.mkdirSync(join(there, 'tree'))
      fs.symlinkSync('../private', join(there, 'tree/inner'))
      const result = await cp(option, 'tree', 'train:.')
      expect(result.exitCode).toBe(255)
      expect(result.stderr.match(/is there and is not a folder/g)).toHaveLength(1)
      const { mode, mtimeMs } = fs.statSync(join(there, 'private'))
      expect([mode & 0o777, mtimeMs]).toEqual([0o700, 1_000])
    },
  )

  it('writes through no link, and into no folder that is one', async () => {
    makeTree(here)
    fs.mkdirSync(join(there, 'elsewhere'))
    fs.mkdirSync(join(there, 'tree'))
    fs.symlinkSync('../elsewhere', join(there, 'tree/inner'))
    fs.writeFileSync(join(there, 'precious'), 'precious')
    fs.symlinkSync('../precious', join(there, 'tree/data'))
    const result = await cp('-r', 'tree', 'train:')
    expect(result.exitCode).toBe(255)
    expect(result.stderr).toContain('is there and is not a folder')
    expect(result.stderr).toContain('is a link, and is not written through')
    expect(fs.readFileSync(join(there, 'precious'), 'utf8')).toBe('precious')
    expect(fs.readdirSync(join(there, 'elsewhere'))).toEqual([])
  })

  it('copies what it can, and says what it could not', async () => {
    fs.writeFileSync(join(here, 'a'), 'a')
    fs.mkdirSync(join(there, 'b'))
    const result = await cp('a', 'train:missing/b')
    expect(result).toMatchObject({ exitCode: 255, stdout: '' })
    expect(result.stderr).toBe(
      'sshjob: train:missing does not exist in the job, so nothing can be put there: make that folder first.\n',
    )
    expect((await cp('missing', 'train:')).stderr).toBe('sshjob: missing does not exist here.\n')
    expect((await cp('train:missing', '.')).stderr).toBe('sshjob: train:missing does not exist in the job.\n')
    expect((await cp('train:b', 'missing/b')).stderr).toBe(
      'sshjob: missing does not exist here, so nothing can be put there: make that folder first.\n',
    )
    const folder = await cp('train:b', '.')
    expect(folder.stderr).toBe('sshjob: train:b is a folder: use -r to copy it with what is in it.\n')
    fs.mkdirSync(join(here, 'tree/a'), { recursive: true })
    fs.writeFileSync(join(here, 'tree/b'), 'b')
    fs.mkdirSync(join(there, 'tree/b'), { recursive: true })
    expect((await cp('-r', 'tree', 'train:')).stderr).toMatch(
      /^sshjob: tree\/b is not copied: \S*tree\/b in the job: .*\.\nsshjob: 1 of 3 could not be copied: see above\.\n$/,
    )
    expect(fs.existsSync(join(there, 'tree/a'))).toBe(true)
  })

  it('-a is -r -p', async () => {
    makeTree(here)
    expect(await cp('-a', 'tree', 'train:copy')).toMatchObject(DONE)
    expect(describeTree(join(there, 'copy'), true)).toEqual(describeTree(join(here, 'tree'), true))
  })

  it('- is the standard input or output, whatever is in it', async () => {
    fs.writeFileSync(join(there, 'a'), data)
    const sum = (path: string): Promise<ProgramResult> =>
      runProgram('sh', ['-c', `"$0" "$1" cp ${path} - | cksum`, process.execPath, SSHJOB], {
        env: user().env,
        cwd: here,
      })
    fs.writeFileSync(join(here, 'same'), data)
    const { stdout } = await runProgram('sh', ['-c', 'cksum < same'], { cwd: here })
    expect(await sum('train:a')).toMatchObject({ stdout, stderr: '' })
    const sent = startProgram(SSHJOB, ['cp', '-', 'train:sent'], { env: user().env, cwd: here, stdin: data })
    expect(await sent.ended).toEqual({ exitCode: 0, signal: null })
    expect(fs.readFileSync(join(there, 'sent')).equals(data)).toBe(true)
    // Who has read enough is no failure.
    const few = await runProgram(
      'bash',
      ['-c', 'set -o pipefail; "$0" "$1" cp train:a - | head -c 3 | wc -c', process.execPath, SSHJOB],
      { env: user().env, cwd: here },
    )
    expect(few).toEqual({ exitCode: 0, signal: null, stdout: '3\n', stderr: '' })
  })

  it.each([
    [['-r', 'train:b', '-'], "-r, -p, -a and --resume are for files, and '-' is none ('./-' is one)."],
    [['a', '-', 'train:'], "'-' stands alone: one file, and our input or output."],
    [['train:b', '-'], "train:b is a folder: '-' takes one file."],
    [['-', 'train:b'], 'train:b is a folder: name the file that is to be written.'],
    [
      ['-', 'train:link'],
      'train:link is a link, and is not written through: name what it leads to, or remove it.',
    ],
    [['train:missing', '-'], 'train:missing does not exist in the job.'],
    [['train:a', '.', '-r'], 'Options stand before the other words, and -r behind them.'],
    [['-', 'here'], 'One side has to be in a job: JOB:PATH.'],
  ])('%j is refused with a sentence', async (args, sentence) => {
    fs.mkdirSync(join(there, 'b'))
    fs.symlinkSync('b', join(there, 'link'))
    const { exitCode, stdout, stderr } = await cp(...args)
    expect({ exitCode, stdout }).toEqual({ exitCode: 255, stdout: '' })
    expect(stderr.replace(/ Run 'sshjob( cp)? --help' for the options\./, '')).toBe(`sshjob: ${sentence}\n`)
  })

  it('that Ctrl-C ends says how to go on, in words that a shell takes', async () => {
    fs.mkdirSync(join(here, "it's here"))
    fs.writeFileSync(join(here, "it's here/big"), randomBytes(40_000_001))
    fs.writeFileSync(join(here, "it's here/small"), 'small')
    const starter = await start({ id: 'slow', cwd: there })
    const copy = startProgram(SSHJOB, ['cp', '-r', "it's here", 'slow:'], { env: user().env, cwd: here })
    await until(() => fs.existsSync(join(there, "it's here/big")))
    // Nothing goes on from here.
    process.kill(serverOf(starter.pid), 'SIGSTOP')
    copy.kill('SIGINT')
    expect(await copy.ended).toEqual({ exitCode: null, signal: 'SIGINT' })
    process.kill(serverOf(starter.pid), 'SIGCONT')
    const line = "sshjob cp --resume -r 'it'\\''s here' slow:"
    expect(copy.stderr().toString()).toBe(`sshjob: Interrupted. Continue with: ${line}\n`)
    const again = await runProgram(
      'sh',
      ['-c', line.replace('sshjob', '"$0" "$1"'), process.execPath, SSHJOB],
      {
        env: user().env,
        cwd: here,
      },
    )
    expect(again).toMatchObject(DONE)
    expect(describeTree(there, false)).toEqual(describeTree(here, false))
  })

  it('whose connection is lost says how to go on', async () => {
    fs.writeFileSync(join(here, 'big'), randomBytes(40_000_001))
    const starter = await start({ id: 'short', cwd: there })
    const copy = startProgram(SSHJOB, ['cp', '--resume', 'big', 'short:'], { env: user().env, cwd: here })
    await until(() => fs.existsSync(join(there, 'big')))
    await killStarter(starter)
    expect(await copy.ended).toEqual({ exitCode: 255, signal: null })
    expect(copy.stderr().toString()).toMatch(
      /^sshjob: The connection .*\. Continue with: sshjob cp --resume big short:\n$/,
    )
  })

  it('explains itself', async () => {
    expect((await cp('--help')).stdout).toContain('Usage: sshjob cp')
    expect((await cp('a', 'b')).stderr).toContain('One side has to be in a job')
  })
})
