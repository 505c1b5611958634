import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BANNER_MAX_BYTES } from '../../../src/core/limits.js'
import { silent } from '../../../src/core/log.js'
import { refusalOf, type Wish } from '../../../src/permissions/refusal.js'
import type { Rules } from '../../../src/server/rules.js'
import type { OfferedKey } from '../../../src/ssh/authentication.js'
import { generateKey, generateRsaKey, parseKey } from '../../../src/ssh/keys.js'
import { expandPath, type SessionUser } from '../../../src/sshd/key-files.js'
import { makeLogin } from '../../../src/sshd/login.js'
import type { ConnectionSpec } from '../../../src/sshd/match.js'
import { parseConfig } from '../../../src/sshd/read-config.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

const uid = process.getuid?.() ?? 0
const { publicKey } = generateKey()
const rsa = generateRsaKey(2_048)
const offer = (line: string, algorithm = 'ssh-ed25519'): OfferedKey => ({
  algorithm,
  blob: parseKey(line).getPublicSSH(),
})

/** Why somebody who was let in does not get this. */
function refused(rules: Rules | undefined, wish: Wish): string | undefined {
  if (rules === undefined) throw new Error('the key was not accepted')
  return refusalOf(rules.permissions, wish)
}

describe('a login', () => {
  const folder = temporaryDirectory()
  const user = (more: Partial<SessionUser> = {}): SessionUser => ({
    name: 'alice',
    uid,
    home: folder(),
    ...more,
  })
  const write = (name: string, text: string, mode = 0o600): string => {
    const file = join(folder(), name)
    writeFileSync(file, text)
    chmodSync(file, mode)
    return file
  }

  function login(
    lines: readonly string[],
    options: { connection?: ConnectionSpec; user?: SessionUser; name?: string } = {},
  ) {
    const { directives } = parseConfig(lines.join('\n'), 'config')
    const { connection = {}, user: sessionUser = user(), name = 'alice' } = options
    const place = { replacesForcedCommand: (command: string) => command === 'the engine enters' }
    return makeLogin({ directives, connection, user: sessionUser, log: silent, place }, name)
  }

  it('looks into each file of keys, relative ones at home', () => {
    write('keys-alice', publicKey)
    const files = 'AuthorizedKeysFile /nowhere none keys-%u'
    expect(login([files]).authorize(offer(publicKey))).toBeDefined()
    expect(login([files]).authorize(offer(generateKey().publicKey))).toBeUndefined()
    expect(login(['AuthorizedKeysFile none']).authorize(offer(publicKey))).toBeUndefined()
    expect(login(['AuthorizedKeysFile /dev/null']).authorize(offer(publicKey))).toBeUndefined()
  })

  it('does not wait for who writes into a FIFO in the place of such a file', async () => {
    const [fifo, marker] = [join(folder(), 'fifo'), join(folder(), 'a-writer-comes')]
    execFileSync('mkfifo', [fifo])
    // So that a login that does wait ends, and can be told from one that does not.
    const script = 'sleep 3; touch "$1"; : > "$0"'
    const writer = spawn('sh', ['-c', script, fifo, marker], { detached: true, stdio: 'ignore' })
    expect(login([`AuthorizedKeysFile ${fifo}`]).authorize(offer(publicKey))).toBeUndefined()
    expect(existsSync(marker)).toBe(false)
    if (writer.pid !== undefined) process.kill(-writer.pid, 'SIGKILL')
    await once(writer, 'exit')
  })

  it('shows the beginning of a banner that does not end', () => {
    expect(login(['Banner /dev/zero']).banner).toHaveLength(BANNER_MAX_BYTES)
    expect(login(['Banner /nowhere']).banner).toBeUndefined()
  })

  it("fills in the session user's name, whatever the client's is", () => {
    expect(expandPath('/keys/%u/%U/%%/%h', user({ name: 'a', uid: 7, home: '/home/a' }))).toBe(
      '/keys/a/7/%/home/a',
    )
    expect(expandPath('.ssh/keys', user({ home: '/home/a' }))).toBe('/home/a/.ssh/keys')
    write('keys-..', publicKey)
    expect(login(['AuthorizedKeysFile keys-%u'], { name: '..' }).authorize(offer(publicKey))).toBeDefined()
  })

  it('takes no file that others may write to, nor one in such a folder, unless StrictModes is off', () => {
    const keys = write('open', publicKey, 0o666)
    const lines = [`AuthorizedKeysFile ${keys}`]
    expect(login(lines).authorize(offer(publicKey))).toBeUndefined()
    expect(login([...lines, 'StrictModes no']).authorize(offer(publicKey))).toBeDefined()
    mkdirSync(join(folder(), 'shared'))
    const inside = write('shared/keys', publicKey)
    expect(login([`AuthorizedKeysFile ${inside}`]).authorize(offer(publicKey))).toBeDefined()
    chmodSync(join(folder(), 'shared'), 0o777)
    symlinkSync(inside, join(folder(), 'link'))
    expect(login([`AuthorizedKeysFile ${inside}`]).authorize(offer(publicKey))).toBeUndefined()
    expect(
      login([`AuthorizedKeysFile ${join(folder(), 'link')}`]).authorize(offer(publicKey)),
    ).toBeUndefined()
  })

  it('counts the first line that lets the key in, and its options', () => {
    const keys = write(
      'several',
      [`expiry-time="19990101" ${publicKey}`, `from="10.*" ${publicKey}`, `no-pty ${publicKey}`].join('\n'),
    )
    const lines = [`AuthorizedKeysFile ${keys}`]
    const terminals = (address: string) =>
      refused(login(lines, { connection: { address } }).authorize(offer(publicKey)), { kind: 'terminal' })
    expect(terminals('10.0.0.1')).toBeUndefined()
    expect(terminals('11.0.0.1')).toBe("this key's line in its file allows no terminals")
  })

  it('lets root in as PermitRootLogin says', () => {
    const plain = write('plain', publicKey)
    const forced = write('forced', `command="a" ${publicKey}`)
    const enters = (permit: string, keys: string, who: number) =>
      login([`AuthorizedKeysFile ${keys}`, `PermitRootLogin ${permit}`, 'StrictModes no'], {
        user: user({ uid: who }),
      }).authorize(offer(publicKey)) !== undefined
    expect(
      ['yes', 'no', 'prohibit-password', 'forced-commands-only'].map((permit) => enters(permit, plain, 0)),
    ).toEqual([true, false, true, false])
    expect(enters('forced-commands-only', forced, 0)).toBe(true)
    expect(enters('no', plain, 1000)).toBe(true)
  })

  it('asks for the algorithm and for the length of an RSA key', () => {
    const keys = write('rsa', rsa.publicKey)
    const lines = [`AuthorizedKeysFile ${keys}`]
    const enters = (algorithm: string, ...more: string[]) =>
      login([...lines, ...more]).authorize(offer(rsa.publicKey, algorithm)) !== undefined
    expect(enters('rsa-sha2-512')).toBe(true)
    expect(enters('ssh-rsa')).toBe(false)
    expect(enters('ssh-rsa', 'PubkeyAcceptedAlgorithms +ssh-rsa')).toBe(true)
    expect(enters('rsa-sha2-512', 'RequiredRSASize 2049')).toBe(false)
    expect(enters('rsa-sha2-512', 'RequiredRSASize 2048')).toBe(true)
  })

  it('has AllowUsers and DenyUsers with hosts', () => {
    const keys = write('users', publicKey)
    const enters = (line: string, address = '10.0.0.1') =>
      login([`AuthorizedKeysFile ${keys}`, line], { connection: { address, host: address } }).authorize(
        offer(publicKey),
      ) !== undefined
    expect(enters('AllowUsers bob alice')).toBe(true)
    expect(enters('AllowUsers al*@10.0.0.0/8')).toBe(true)
    expect(enters('AllowUsers alice@10.0.0.0/8', '11.0.0.1')).toBe(false)
    expect(enters('DenyUsers *@10.0.0.?')).toBe(false)
    expect(enters('DenyUsers bob')).toBe(true)
  })

  it('lets nobody choose rules by choosing a name', () => {
    const keys = write('names', publicKey)
    const forced = (name: string, ...lines: string[]) =>
      login([`AuthorizedKeysFile ${keys}`, ...lines], { name }).authorize(offer(publicKey))
    expect(forced('bob')).toBeDefined()
    expect(forced('bob', 'DenyUsers carol')).toBeUndefined()
    expect(forced('bob', 'Match User alice', 'ForceCommand a')).toBeUndefined()
    expect(forced('alice', 'Match User alice', 'ForceCommand a')?.forced).toEqual({
      kind: 'command',
      command: 'a',
    })
  })

  it('drops a forced command that the engine replaces, and no other', () => {
    const keys = write('engine', `command="the engine enters" ${publicKey}`)
    const rules = (...lines: string[]) =>
      login([`AuthorizedKeysFile ${keys}`, ...lines]).authorize(offer(publicKey))
    expect(rules()?.forced).toBeUndefined()
    expect(rules('ForceCommand another')?.forced).toEqual({ kind: 'command', command: 'another' })
  })

  it('permits what both the configuration and the key permit', () => {
    const keys = write(
      'permits',
      `permitopen="a:1",permitopen="b:*",permitlisten="80",no-agent-forwarding ${publicKey}`,
    )
    const policy = (...lines: string[]) => {
      const rules = login([`AuthorizedKeysFile ${keys}`, ...lines]).authorize(offer(publicKey))
      const wishes: Wish[] = [
        { kind: 'open', host: 'a', port: 1 },
        { kind: 'open', host: 'a', port: 2 },
        { kind: 'open', host: 'b', port: 3 },
        { kind: 'listen', host: '', port: 80 },
        { kind: 'listen', host: '', port: 81 },
        { kind: 'openUnix', path: '/s' },
        { kind: 'listenUnix', path: '/s' },
        { kind: 'agent' },
        { kind: 'x11' },
      ]
      return wishes.map((wish) => refused(rules, wish) === undefined)
    }
    expect(policy()).toEqual([true, false, true, true, false, true, true, false, false])
    expect(policy('PermitOpen b:3', 'PermitListen none', 'X11Forwarding yes')).toEqual([
      false,
      false,
      true,
      false,
      false,
      true,
      true,
      false,
      true,
    ])
    expect(policy('AllowTcpForwarding local', 'AllowStreamLocalForwarding remote')).toEqual([
      true,
      false,
      true,
      false,
      false,
      false,
      true,
      false,
      false,
    ])
    expect(policy('DisableForwarding yes', 'X11Forwarding yes')).toEqual(
      Array.from({ length: 9 }, () => false),
    )
  })
})
