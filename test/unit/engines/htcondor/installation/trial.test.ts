import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import fs from 'node:fs/promises'
import path from 'node:path'
import { install } from '../../../../../src/engines/htcondor/installation/install.js'
import {
  makeSafeDirectory,
  refuseUnsafe,
} from '../../../../../src/engines/htcondor/installation/safe-place.js'
import { tryServer } from '../../../../../src/engines/htcondor/installation/trial.js'
import { runUnprivileged } from '../../../../../src/engines/htcondor/installation/unprivileged.js'
import { describeAsRoot, itAsRoot } from '../../../../helpers/needs.js'
import { temporaryDirectory } from '../../../../helpers/temporary-directory.js'

const NOBODY = 65_534
const sh = (script: string, ...args: string[]): string[] => ['/bin/sh', '-c', script, 'sh', ...args]

describe('a program that is tried', () => {
  it('gives why it failed, or what it said', async () => {
    expect(await runUnprivileged(sh('echo out; cat'), { input: 'in' })).toEqual({
      failure: undefined,
      stdout: 'out\nin',
    })
    expect((await runUnprivileged(sh('echo; echo "  why  " >&2; exit 3'))).failure).toBe('why')
    const ofNode = 'printf "file.js:1\\n  x\\n\\nTypeError: no\\n    at y\\n" >&2; exit 1'
    expect((await runUnprivileged(sh(ofNode))).failure).toBe('TypeError: no')
    expect((await runUnprivileged(sh('exit 3'))).failure).toBe('exit status 3')
    expect((await runUnprivileged(sh('kill -KILL $$'))).failure).toBe('it was ended by SIGKILL')
    expect((await runUnprivileged([''])).failure).toMatch(/cannot be empty/)
    expect((await runUnprivileged(['/missing'])).failure).toMatch(/no such file.*\(ENOENT\)$/)
  })

  it('gets neither variables nor the terminal of who tries it', async () => {
    process.env.SSHJOB_TEST_SECRET = 'x'
    const { stdout } = await runUnprivileged(['/usr/bin/env'])
    delete process.env.SSHJOB_TEST_SECRET
    expect(stdout).toBe('')
    // Of a session of its own it is the leader, and that has no terminal.
    const session = `set -- $(cat /proc/$$/stat); echo "$$ $6 $7"`
    expect((await runUnprivileged(sh(session))).stdout).toMatch(/^(\d+) \1 0\n$/)
  })

  it('is ended with all that it has started when it takes too long', async () => {
    const { failure, stdout } = await runUnprivileged(sh('sleep 1000 & echo $!; wait'), { timeoutMs: 500 })
    expect(failure).toBe('it did not end within 0.5 s')
    while (readdirSync('/proc').includes(stdout.trim()))
      await new Promise((resolve) => setTimeout(resolve, 10))
  })

  it('is not waited for by what it leaves running', async () => {
    const { failure, stdout } = await runUnprivileged(sh('sleep 1000 & echo $!'))
    expect(failure).toBeUndefined()
    process.kill(Number(stdout), 'SIGKILL')
  })

  itAsRoot('has no rights', async () => {
    expect((await runUnprivileged(sh('id -u; id -G'))).stdout).toBe(`${NOBODY}\n${NOBODY}\n`)
  })
})

describe('the trial of a server', () => {
  const folder = temporaryDirectory()
  const template = (text: string): string => {
    const file = path.join(folder(), 'template')
    writeFileSync(file, text)
    return file
  }
  const keygen = sh('echo key >"$1"; echo "$1.pub" >"$1.pub"', '%f')
  const left = (): string[] => readdirSync('/tmp').filter((name) => name.startsWith('sshjob-doctor-'))

  it('gives it what the starter does, and leaves nothing', async () => {
    const before = left()
    const check = [
      '[ "$1" = -t ] && set -- $(cat "$2") && [ "$1" = HostKey ] && [ "$3" = AuthorizedKeysFile ]',
      '[ "$(cat "$2")" = key ] && [ "$(cat "$4")" = "$2.pub" ]',
    ].join(' && ')
    const server = sh(`${check} || { echo it is not >&2; exit 1; }`, '-i', '%f')
    const text = 'HostKey _INSERT_HOST_KEY_\nAuthorizedKeysFile _INSERT_AUTHORIZED_KEYS_FILE_\n'
    expect(await tryServer({ server, keygen, template: template(text) })).toBeUndefined()
    expect(left()).toEqual(before)
  })

  it('says what failed', async () => {
    const server = sh('echo "no server" >&2; exit 1')
    const settings = { server, keygen, template: template('') }
    expect(await tryServer(settings)).toEqual({ what: 'server', why: 'no server' })
    expect(await tryServer({ ...settings, keygen: sh('echo no key >&2; exit 1') })).toEqual({
      what: 'key',
      why: 'no key',
    })
    expect(await tryServer({ ...settings, template: '/missing' })).toMatchObject({ what: 'server' })
  })

  itAsRoot(
    'by root writes nothing where a link leads that another process of that user has planted',
    async () => {
      const target = path.join(folder(), 'root-only')
      mkdirSync(target, { mode: 0o700 })
      const plant = ['sshd_config', 'authorized_keys', 'sshkey.pub'].map(
        (name) => `ln -sf ${target}/${name} "\${1%/*}/${name}"`,
      )
      // The first thing that is run in that directory, and its user's: what another could do at any time.
      const attack = sh(['echo key >"$1"', ...plant].join('; '), '%f')
      const settings = { server: sh('exit 0'), keygen: attack, template: template('of the attacker') }
      expect(await tryServer(settings)).toMatchObject({
        what: 'server',
        why: expect.stringMatching(/denied/),
      })
      expect(readdirSync(target)).toEqual([])
    },
  )

  itAsRoot('by root removes nothing where such a link leads', async () => {
    const target = path.join(folder(), 'precious')
    mkdirSync(target)
    writeFileSync(path.join(target, 'file'), '')
    chmodSync(target, 0o755)
    const attack = sh(
      `d=\${1%/*}; echo key >"$1"; echo >"$1.pub"; mv "$d" "$d-moved"; ln -s ${target} "$d"; rm -r "$d-moved"`,
      '%f',
    )
    await tryServer({ server: sh('exit 0'), keygen: attack, template: template('') })
    expect(readdirSync(target)).toEqual(['file'])
  })
})

describe('a place for an installation', () => {
  const base = temporaryDirectory()

  it('is made with what is above it', async () => {
    const place = path.join(base(), 'a/b/c')
    await makeSafeDirectory(place, 'Elsewhere.')
    expect((await fs.stat(place)).isDirectory()).toBe(true)
    await makeSafeDirectory(place, 'Elsewhere.')
  })

  it('is refused where others may write', async () => {
    const open = path.join(base(), 'open')
    mkdirSync(open)
    chmodSync(open, 0o777)
    const place = path.join(open, 'x')
    const refusal = {
      code: 'unsafe-directory',
      message: `${place} is not safe: others may write to ${open} (mode 777). Elsewhere.`,
    }
    await expect(refuseUnsafe(place, 'Elsewhere.')).rejects.toMatchObject(refusal)
    await expect(makeSafeDirectory(place, 'Elsewhere.')).rejects.toMatchObject({ code: 'unsafe-directory' })
    expect(readdirSync(open)).toEqual([])
  })

  describeAsRoot('of another user', () => {
    it('is refused by install, before anything is made there', async () => {
      const theirs = path.join(base(), 'theirs')
      mkdirSync(theirs)
      await fs.chown(theirs, NOBODY, NOBODY)
      const tell = (): never => {
        throw new Error('Something was done')
      }
      for (const dryRun of [true, false]) {
        await expect(install({ prefix: path.join(theirs, 'sshjob'), dryRun, tell })).rejects.toMatchObject({
          code: 'unsafe-directory',
          message: `${theirs}/sshjob is not safe: ${theirs} belongs to user ${NOBODY}. Choose a --prefix in which only root and you may write, such as the default.`,
        })
      }
      expect(readdirSync(theirs)).toEqual([])
    })

    it('is refused if its link was there first, in a folder where everybody may make one', async () => {
      const shared = path.join(base(), 'shared')
      const target = path.join(base(), 'target')
      mkdirSync(shared)
      chmodSync(shared, 0o1777)
      mkdirSync(target)
      await fs.symlink(target, path.join(shared, 'link'))
      await fs.lchown(path.join(shared, 'link'), NOBODY, NOBODY)
      await expect(makeSafeDirectory(path.join(shared, 'link/x'), 'Elsewhere.')).rejects.toMatchObject({
        message: expect.stringContaining(`${shared}/link belongs to user ${NOBODY}`),
      })
      expect(readdirSync(target)).toEqual([])
    })
  })
})
