import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { readAccount } from '../../../../src/job/account.js'
import { encodeAttributes, FXF, FXP } from '../../../../src/ssh/sftp-protocol.js'
import { Reader, string, uint32, uint64 } from '../../../../src/ssh/wire.js'
import { describeWith } from '../../../helpers/needs.js'
import {
  type Answer,
  describeAnswer,
  type SftpPeer,
  servedSftp,
  sftpPeer,
} from '../../../helpers/sftp-peer.js'

const SFTP_SERVER = '/usr/lib/openssh/sftp-server'
const NO_ATTRIBUTES = uint32(0)

/** A tree with one of everything, the same for both servers. */
function makeTree(): string {
  // '..' is shown as well, and is not to change meanwhile.
  const root = join(fs.mkdtempSync(join(tmpdir(), 'sshjob-test-')), 'root')
  fs.mkdirSync(root, { mode: 0o700 })
  const at = (name: string): string => join(root, name)
  fs.writeFileSync(at('file'), 'hello world\n', { mode: 0o640 })
  fs.writeFileSync(at('other'), 'x')
  fs.mkdirSync(at('folder'))
  fs.writeFileSync(at('folder/inside'), '')
  fs.mkdirSync(at('empty'))
  fs.symlinkSync('file', at('link'))
  fs.symlinkSync('nowhere', at('dangling'))
  fs.symlinkSync('loop', at('loop'))
  fs.symlinkSync('folder/', at('to-folder'))
  fs.symlinkSync('/', at('to-root'))
  fs.writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xff, 0xfe])]), 'bytes')
  for (const name of ['file', 'other', 'folder', 'empty'])
    fs.utimesSync(at(name), 1_000_000_000, 1_100_000_000)
  return root
}

interface Side {
  peer: SftpPeer
  root: string
  close(): Promise<void>
}

async function ours(): Promise<Side> {
  const root = makeTree()
  const served = await servedSftp(root)
  return { root, peer: served.peer, close: served.close }
}

async function theirs(): Promise<Side> {
  const root = makeTree()
  const child = spawn(SFTP_SERVER, [], { cwd: root, stdio: ['pipe', 'pipe', 'ignore'] })
  const peer = sftpPeer(child.stdout, child.stdin)
  await peer.ask(FXP.INIT, uint32(3))
  return {
    root,
    peer,
    async close() {
      const exited = once(child, 'exit')
      child.kill('SIGKILL')
      await exited
    },
  }
}

/** An answer as a comparable value: without what has to differ, the names of the roots and times of now. */
function comparable({ type, data }: Answer, root: string): unknown {
  const reader = new Reader(data)
  const text = (bytes: Buffer): string =>
    bytes.toString('latin1').replaceAll(root, 'ROOT').replaceAll(dirname(root), 'ABOVE')
  switch (type) {
    case FXP.STATUS:
      return `status ${reader.uint32()}`
    case FXP.HANDLE:
      return 'a handle'
    case FXP.DATA:
      return `data ${reader.string().toString('latin1')}`
    case FXP.NAME: {
      const names: unknown[] = []
      for (let count = reader.uint32(); count > 0; count--) {
        const name = text(reader.string())
        // Times of now may be a minute apart; those of the tree are fixed.
        const long = text(reader.string()).replace(/ [A-Z][a-z]{2} [ \d]\d \d\d:\d\d /, ' NOW ')
        const flags = reader.uint32()
        const size = flags & 1 ? reader.uint64() : 0n
        const rest = flags === 0 ? [] : Array.from({ length: 5 }, () => reader.uint32())
        const isFolder = ((rest[2] ?? 0) & 0o170000) === 0o040000
        names.push([
          name,
          isFolder ? long.replace(/ +\d+ NOW/, ' NOW') : long,
          flags,
          isFolder ? 0n : size,
          rest.slice(0, 3),
        ])
      }
      return names.map((entry) => String(entry)).sort()
    }
    case FXP.ATTRS:
      // Flags, size, uid, gid, mode: the access times of two trees differ.
      return data.subarray(0, 24).toString('hex')
    default:
      return `${type}: ${text(data)}`
  }
}

type Step = (peer: SftpPeer, root: string) => Promise<Answer>
type Case = [title: string, ...steps: Step[]]

const ask =
  (type: number, ...parts: (string | Buffer)[]): Step =>
  (peer) =>
    peer.ask(type, ...parts.map((part) => (typeof part === 'string' ? string(part) : part)))
const extended =
  (name: string, ...parts: (string | Buffer)[]): Step =>
  (peer) =>
    peer.askExtended(name, ...parts.map((part) => (typeof part === 'string' ? string(part) : part)))
/** Opens, and does something with the handle. */
const withHandle =
  (path: string, flags: number, use: (peer: SftpPeer, handle: Buffer) => Promise<Answer>): Step =>
  async (peer) => {
    const handle = await peer.open(path, flags)
    const answer = await use(peer, string(handle))
    await peer.ask(FXP.CLOSE, string(handle))
    return answer
  }
const withFolder =
  (path: string, use: (peer: SftpPeer, handle: Buffer) => Promise<Answer>): Step =>
  async (peer) => {
    const opened = await peer.ask(FXP.OPENDIR, string(path))
    const answer = await use(peer, opened.data)
    await peer.ask(FXP.CLOSE, opened.data)
    return answer
  }
const mode = (value: number): Buffer => encodeAttributes({ mode: value })
const stale = string(uint32(0x7fff_0000))
const LONG_NAME = 'n'.repeat(300)
const LONG_PATH = 'p/'.repeat(50_000)

const CASES: Case[] = [
  [
    'stat of a file, a folder, a link, what is missing',
    ...[
      'file',
      'folder',
      'link',
      'missing',
      'dangling',
      'loop',
      'file/x',
      '',
      '.',
      '..',
      'to-folder',
      'to-folder/',
    ].flatMap((name) => [ask(FXP.STAT, name), ask(FXP.LSTAT, name)]),
  ],
  [
    'a name that is no UTF-8',
    ask(FXP.STAT, Buffer.from([0, 0, 0, 2, 0xff, 0xfe])),
    ask(FXP.LSTAT, Buffer.from([0, 0, 0, 2, 0xff, 0xfd])),
  ],
  [
    'names and paths that are too long',
    ask(FXP.STAT, LONG_NAME),
    ask(FXP.STAT, LONG_PATH),
    ask(FXP.OPEN, LONG_PATH, uint32(1), NO_ATTRIBUTES),
    ask(FXP.REALPATH, LONG_PATH),
    ask(FXP.MKDIR, LONG_NAME, NO_ATTRIBUTES),
  ],
  [
    'open: every kind of thing',
    ...['file', 'folder', 'missing', 'dangling', 'loop', 'file/x', ''].flatMap((name) =>
      [0, FXF.READ, FXF.WRITE, FXF.READ | FXF.WRITE].map((flags) =>
        ask(FXP.OPEN, name, uint32(flags), NO_ATTRIBUTES),
      ),
    ),
  ],
  [
    'open: creating',
    ask(FXP.OPEN, 'new', uint32(FXF.WRITE | FXF.CREAT), mode(0o600)),
    ask(FXP.STAT, 'new'),
    ask(FXP.OPEN, 'new', uint32(FXF.WRITE | FXF.CREAT | FXF.EXCL), NO_ATTRIBUTES),
    ask(FXP.OPEN, 'dangling', uint32(FXF.WRITE | FXF.CREAT | FXF.EXCL), NO_ATTRIBUTES),
    ask(FXP.OPEN, 'missing/new', uint32(FXF.WRITE | FXF.CREAT), NO_ATTRIBUTES),
    ask(FXP.OPEN, 'default', uint32(FXF.WRITE | FXF.CREAT), NO_ATTRIBUTES),
    ask(FXP.STAT, 'default'),
    ask(FXP.OPEN, 'file', uint32(FXF.WRITE | FXF.TRUNC), NO_ATTRIBUTES),
    ask(FXP.STAT, 'file'),
    ask(FXP.OPEN, 'odd', uint32(FXF.WRITE | FXF.CREAT), mode(0o104755)),
    ask(FXP.STAT, 'odd'),
  ],
  [
    'read: middle, across the end, behind it, nothing',
    ...[
      [0n, 5],
      [6n, 100],
      [12n, 1],
      [1n << 40n, 10],
      [0n, 0],
      [1n << 63n, 1],
    ].map(([offset, length]) =>
      withHandle('file', FXF.READ, (peer, handle) =>
        peer.ask(FXP.READ, handle, uint64(offset ?? 0n), uint32(Number(length))),
      ),
    ),
  ],
  [
    'read and write against the flags',
    withHandle('file', FXF.WRITE, (peer, handle) => peer.ask(FXP.READ, handle, uint64(0), uint32(1))),
    withHandle('file', FXF.READ, (peer, handle) => peer.ask(FXP.WRITE, handle, uint64(0), string('x'))),
    withHandle('folder', FXF.READ, (peer, handle) => peer.ask(FXP.READ, handle, uint64(0), uint32(10))),
  ],
  [
    'write: over the end, and nothing',
    withHandle('file', FXF.WRITE, (peer, handle) =>
      peer.ask(FXP.WRITE, handle, uint64(20), string('behind')),
    ),
    ask(FXP.STAT, 'file'),
    withHandle('file', FXF.READ, (peer, handle) => peer.ask(FXP.READ, handle, uint64(0), uint32(100))),
    withHandle('file', FXF.WRITE, (peer, handle) => peer.ask(FXP.WRITE, handle, uint64(0), string(''))),
  ],
  [
    'append',
    withHandle('file', FXF.WRITE | FXF.APPEND, (peer, handle) =>
      peer.ask(FXP.WRITE, handle, uint64(0), string('more')),
    ),
    withHandle('file', FXF.READ, (peer, handle) => peer.ask(FXP.READ, handle, uint64(0), uint32(100))),
  ],
  [
    'a full device',
    withHandle('/dev/full', FXF.WRITE, (peer, handle) => peer.ask(FXP.WRITE, handle, uint64(0), string('x'))),
  ],
  [
    'devices',
    withHandle('/dev/null', FXF.WRITE, (peer, handle) => peer.ask(FXP.WRITE, handle, uint64(0), string('x'))),
    withHandle('/dev/null', FXF.READ, (peer, handle) => peer.ask(FXP.READ, handle, uint64(0), uint32(10))),
    withHandle('/dev/zero', FXF.READ, (peer, handle) => peer.ask(FXP.READ, handle, uint64(0), uint32(10))),
  ],
  [
    'handles that are not open, or of the other kind',
    ...[FXP.CLOSE, FXP.FSTAT, FXP.READDIR].map((type) => ask(type, stale)),
    ...[string(''), string('abc'), string('longer than four')].map((handle) => ask(FXP.FSTAT, handle)),
    ask(FXP.READ, stale, uint64(0), uint32(1)),
    ask(FXP.WRITE, stale, uint64(0), string('x')),
    ask(FXP.FSETSTAT, stale, NO_ATTRIBUTES),
    extended('fsync@openssh.com', stale),
    extended('fstatvfs@openssh.com', stale),
    withFolder('folder', (peer, handle) => peer.ask(FXP.READ, handle, uint64(0), uint32(1))),
    withFolder('folder', (peer, handle) => peer.ask(FXP.FSTAT, handle)),
    withFolder('folder', (peer, handle) => peer.askExtended('fsync@openssh.com', handle)),
    withHandle('file', FXF.READ, (peer, handle) => peer.ask(FXP.READDIR, handle)),
  ],
  [
    'a handle that was closed',
    async (peer) => {
      const handle = string(await peer.open('file', FXF.READ))
      await peer.ask(FXP.CLOSE, handle)
      return peer.ask(FXP.READ, handle, uint64(0), uint32(1))
    },
    async (peer) => {
      const handle = string(await peer.open('file', FXF.READ))
      await peer.ask(FXP.CLOSE, handle)
      return peer.ask(FXP.CLOSE, handle)
    },
  ],
  ['fstat', withHandle('file', FXF.READ, (peer, handle) => peer.ask(FXP.FSTAT, handle))],
  [
    'setstat',
    ask(FXP.SETSTAT, 'file', mode(0o751)),
    ask(FXP.STAT, 'file'),
    ask(FXP.SETSTAT, 'file', encodeAttributes({ size: 3n })),
    ask(FXP.SETSTAT, 'file', encodeAttributes({ times: { atime: 5, mtime: 6 } })),
    ask(FXP.STAT, 'file'),
    ask(FXP.SETSTAT, 'missing', mode(0o700)),
    ask(FXP.SETSTAT, 'file', NO_ATTRIBUTES),
    ask(FXP.SETSTAT, 'folder', encodeAttributes({ size: 0n, mode: 0o700 })),
    ask(FXP.STAT, 'folder'),
    ask(FXP.SETSTAT, 'dangling', mode(0o700)),
    ask(FXP.SETSTAT, 'file', encodeAttributes({ size: 1n << 63n })),
  ],
  [
    'fsetstat',
    withHandle('file', FXF.READ | FXF.WRITE, (peer, handle) =>
      peer.ask(
        FXP.FSETSTAT,
        handle,
        encodeAttributes({ size: 2n, mode: 0o604, times: { atime: 1, mtime: 2 } }),
      ),
    ),
    ask(FXP.STAT, 'file'),
    withHandle('file', FXF.READ, (peer, handle) =>
      peer.ask(FXP.FSETSTAT, handle, encodeAttributes({ size: 2n })),
    ),
  ],
  [
    'lsetstat',
    extended('lsetstat@openssh.com', 'link', encodeAttributes({ times: { atime: 7, mtime: 8 } })),
    ask(FXP.LSTAT, 'link'),
    extended('lsetstat@openssh.com', 'file', mode(0o700)),
    ask(FXP.STAT, 'file'),
    extended('lsetstat@openssh.com', 'file', encodeAttributes({ size: 0n })),
    extended('lsetstat@openssh.com', 'missing', mode(0o700)),
    extended('lsetstat@openssh.com', 'link', mode(0o700)),
  ],
  [
    'folders',
    ask(FXP.OPENDIR, 'missing'),
    ask(FXP.OPENDIR, 'file'),
    ask(FXP.OPENDIR, 'loop'),
    ask(FXP.OPENDIR, ''),
    withFolder('empty', (peer, handle) => peer.ask(FXP.READDIR, handle)),
    withFolder('.', (peer, handle) => peer.ask(FXP.READDIR, handle)),
    withFolder('to-folder', (peer, handle) => peer.ask(FXP.READDIR, handle)),
    withFolder('empty', async (peer, handle) => {
      await peer.ask(FXP.READDIR, handle)
      return peer.ask(FXP.READDIR, handle)
    }),
  ],
  [
    'mkdir and rmdir',
    ask(FXP.MKDIR, 'made', mode(0o1750)),
    ask(FXP.STAT, 'made'),
    ask(FXP.MKDIR, 'made', NO_ATTRIBUTES),
    ask(FXP.MKDIR, 'missing/made', NO_ATTRIBUTES),
    ask(FXP.MKDIR, 'plain', NO_ATTRIBUTES),
    ask(FXP.STAT, 'plain'),
    ask(FXP.RMDIR, 'folder'),
    ask(FXP.RMDIR, 'file'),
    ask(FXP.RMDIR, 'missing'),
    ask(FXP.RMDIR, 'made'),
    ask(FXP.RMDIR, '.'),
  ],
  [
    'remove',
    ask(FXP.REMOVE, 'folder'),
    ask(FXP.REMOVE, 'missing'),
    ask(FXP.REMOVE, 'dangling'),
    ask(FXP.REMOVE, 'file'),
    ask(FXP.STAT, 'file'),
  ],
  [
    'rename',
    ask(FXP.RENAME, 'file', 'other'),
    ask(FXP.RENAME, 'missing', 'x'),
    ask(FXP.RENAME, 'file', 'moved'),
    ask(FXP.STAT, 'moved'),
    ask(FXP.RENAME, 'folder', 'empty'),
    ask(FXP.RENAME, 'folder', 'moved-folder'),
    ask(FXP.RENAME, 'link', 'moved-link'),
    ask(FXP.LSTAT, 'moved-link'),
    ask(FXP.RENAME, 'moved', 'missing/x'),
    ask(FXP.RENAME, 'moved', 'moved'),
  ],
  [
    'posix-rename and hardlink',
    extended('posix-rename@openssh.com', 'file', 'other'),
    ask(FXP.STAT, 'other'),
    extended('posix-rename@openssh.com', 'missing', 'x'),
    extended('hardlink@openssh.com', 'other', 'hard'),
    extended('hardlink@openssh.com', 'other', 'hard'),
    extended('hardlink@openssh.com', 'folder', 'hard-folder'),
    extended('posix-rename@openssh.com', 'folder', 'other'),
  ],
  [
    'links',
    ask(FXP.READLINK, 'link'),
    ask(FXP.READLINK, 'file'),
    ask(FXP.READLINK, 'missing'),
    ask(FXP.SYMLINK, 'any/thing', 'made'),
    ask(FXP.READLINK, 'made'),
    ask(FXP.SYMLINK, 'x', 'file'),
    ask(FXP.SYMLINK, '', 'empty-target'),
  ],
  [
    'realpath',
    ...[
      '',
      '.',
      '..',
      '/',
      '//',
      'file',
      './folder/../file',
      'missing',
      'missing/',
      'missing/x',
      'link',
      'dangling',
      'loop',
      'to-folder',
      'to-folder/inside',
      'to-root/usr',
      'file/',
      'file/..',
      '/../..',
      'folder//inside',
      '~',
    ].map((name) => ask(FXP.REALPATH, name)),
  ],
  [
    'expand-path',
    ...['.', 'file', '/usr/..', '~', '~/file', '~root', '~nobody-of-that-name', 'missing/x'].map((name) =>
      extended('expand-path@openssh.com', name),
    ),
  ],
  // Asked for another user's, sftp-server 9.2 gives its own.
  [
    'home-directory',
    extended('home-directory', readAccount().name),
    extended('home-directory', 'nobody-of-that-name'),
  ],
  [
    'users-groups-by-id',
    extended(
      'users-groups-by-id@openssh.com',
      string(Buffer.concat([uint32(0), uint32(77_777)])),
      string(uint32(0)),
    ),
    extended('users-groups-by-id@openssh.com', string(''), string('')),
  ],
  ['statvfs of what is missing', extended('statvfs@openssh.com', 'missing')],
  ['fsync', withHandle('file', FXF.WRITE, (peer, handle) => peer.askExtended('fsync@openssh.com', handle))],
  [
    'copy-data',
    ...[
      [0, 0, 0],
      [6, 5, 0],
      [0, 5, 20],
      [6, 100, 0],
    ].map(
      ([from, length, to]): Step =>
        async (peer) => {
          const source = string(await peer.open('file', FXF.READ))
          const target = string(await peer.open('other', FXF.WRITE))
          const answer = await peer.askExtended(
            'copy-data',
            source,
            uint64(from ?? 0),
            uint64(length ?? 0),
            target,
            uint64(to ?? 0),
          )
          await peer.ask(FXP.CLOSE, source)
          await peer.ask(FXP.CLOSE, target)
          return answer
        },
    ),
    withHandle('other', FXF.READ, (peer, handle) => peer.ask(FXP.READ, handle, uint64(0), uint32(100))),
    withHandle('file', FXF.READ | FXF.WRITE, (peer, handle) =>
      peer.askExtended('copy-data', handle, uint64(0), uint64(0), handle, uint64(0)),
    ),
    withHandle('file', FXF.READ, (peer, handle) =>
      peer.askExtended('copy-data', handle, uint64(0), uint64(0), stale, uint64(0)),
    ),
  ],
  ['an extension that nobody knows', extended('no-such@example.com', 'x')],
]

describeWith([SFTP_SERVER], 'SFTP, compared with sftp-server of OpenSSH', () => {
  it.each(CASES)('%s', async (_title, ...steps) => {
    const umask = process.umask(0o022)
    const sides = await Promise.all([ours(), theirs()])
    try {
      for (const [index, step] of steps.entries()) {
        const answers = await Promise.all(sides.map(({ peer, root }) => step(peer, root)))
        const [our, their] = answers.map((answer, side) => comparable(answer, sides[side]?.root ?? ''))
        const shown = answers.map(describeAnswer)
        expect({ step: index, answer: our, shown: shown[0] }).toEqual({
          step: index,
          answer: their,
          shown: shown[0],
        })
      }
    } finally {
      process.umask(umask)
      await Promise.all(sides.map((side) => side.close()))
      for (const { root } of sides) fs.rmSync(dirname(root), { recursive: true, force: true })
    }
  })
})
