import { spawn } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describeWith, describeWithMounts } from '../../helpers/needs.js'
import { runProgram } from '../../helpers/programs.js'

const helper = (name: string): string => join(process.cwd(), 'test/helpers', name)
const HOST = ['--import', helper('register-typescript.mjs'), helper('job-host.ts')]
/**
 * Above those on which Node.js itself sets close-on-exec when it starts (uv_disable_stdio_inheritance), and with room below
 * it for the sources, which it opens many at a time.
 */
const HIGH = 120
const LOOK = `readlink /proc/self/fd/${HIGH} || echo none`

describe('a descriptor that the starter was started with', () => {
  let folder: string
  let lock: number

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sshjob-lock-'))
    lock = openSync(join(folder, 'lock'), 'w')
  })
  afterEach(() => {
    closeSync(lock)
    rmSync(folder, { recursive: true })
  })

  const run = (...args: string[]): Promise<string> => {
    const others = Array.from({ length: HIGH - 3 }, () => 'ignore' as const)
    const host = spawn(process.execPath, [...HOST, ...args], {
      stdio: ['ignore', 'pipe', 'inherit', ...others, lock],
    })
    return host.stdout === null ? Promise.resolve('') : text(host.stdout)
  }

  it('is handed on to the job', async () => {
    expect(await run('launch', 'sh', '-c', LOOK)).toBe(`${join(folder, 'lock')}\n`)
  })

  it('is not handed on to a session', async () => {
    const { shown } = JSON.parse(await run('once', LOOK))
    for (const { output } of shown) expect(output.trim()).toBe('none')
  })
})

describeWith(['bash'], 'a descriptor above the limit of open files that the starter was started with', () => {
  it('keeps no session from being started, and is not handed on to it', async () => {
    const script = `exec ${HIGH}>&1; ulimit -n ${HIGH - 4}; exec "$@"`
    const args = ['-c', script, 'sh', process.execPath, ...HOST, 'once', LOOK]
    const { shown } = JSON.parse((await runProgram('bash', args)).stdout)
    for (const { output } of shown) expect(output.trim()).toBe('none')
  })
})

describeWithMounts('a machine without terminals', () => {
  it('says so, and runs commands without one', async () => {
    const script = `touch "$0/null" && mount --bind /dev/null "$0/null" && mount --rbind "$0" /dev && exec "$@"`
    const folder = mkdtempSync(join(tmpdir(), 'sshjob-dev-'))
    const command = ['sh', '-c', script, folder, process.execPath, ...HOST, 'sessions', 'echo ran']
    const { stdout, stderr } = await runProgram('unshare', ['-m', ...command])
    rmSync(folder, { recursive: true })
    expect(stdout).toMatch(/^session \d+\n$/)
    expect(stderr).toContain('No terminal can be opened, /dev/ptmx: no such file or directory (ENOENT).')
    expect(stderr).toContain("code: 'no-terminal'")
  })
})
