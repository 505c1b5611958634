import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeWith, describeWithMounts } from '../helpers/needs.js'
import { IN_ROOT, MOUNTED, shimFor, through } from './shims.js'

const WITH_ARM64 = join(process.cwd(), 'test/shim/with-arm64')
let root: string

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'arm64-'))
  for (const directory of ['opt/sshjob', 'proc', 'dev', 'tmp'])
    mkdirSync(join(root, directory), { recursive: true })
})

afterAll(() => rmSync(root, { recursive: true, force: true }))

describeWith(['qemu-aarch64-static'], 'the shim for arm64, under qemu', () => {
  describeWithMounts('in an empty root', () => {
    const launcher = [`${MOUNTED}/bin/sh`, `${MOUNTED}/sshjob-server`, '-i']
    const server = (): string[] => [WITH_ARM64, IN_ROOT, shimFor('arm64'), root, 'devices', ...launcher]

    it('runs commands', async () => {
      const { stdout, exitCode } = await through(server(), ['cat; uname -m; exit 7'], { stdin: 'in ' })
      expect({ stdout, exitCode }).toEqual({ stdout: 'in aarch64\n', exitCode: 7 })
    })

    it('has terminals', async () => {
      const { stdout, exitCode } = await through(server(), [], {
        options: ['-tt'],
        stdin: 'PS1=; tty; echo $((6 * 7)); exit 5\n',
      })
      expect(stdout).toMatch(/^\/dev\/pts\/\d+\r\n42\r\n/m)
      expect(exitCode).toBe(5)
    })

    it('loads both addons', async () => {
      const node = [
        `${MOUNTED}/lib/ld-linux-aarch64.so.1`,
        '--library-path',
        `${MOUNTED}/lib`,
        `${MOUNTED}/bin/node`,
      ]
      const probe = `const load = require('module').createRequire('${MOUNTED}/programs/');
        console.log(process.arch, load('koffi').load(null).func('int getpid()')() === process.pid, typeof load('node-pty').native.open)`
      const { stdout } = await through(server(), [`${node.join(' ')} -e "${probe}"`])
      expect(stdout).toBe('arm64 true function\n')
    })
  })
})
