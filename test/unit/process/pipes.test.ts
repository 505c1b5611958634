import { readdirSync, readlinkSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { readAll, readUntil, runIn, startIn, testJob } from '../../helpers/job-session.js'

const descriptors = (pid: number | 'self' = 'self'): string[] =>
  readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [`${fd} ${readlinkSync(`/proc/${pid}/fd/${fd}`)}`]
    } catch {
      return []
    }
  })

describe('a command without a terminal', () => {
  const job = testJob()

  it('has pipes, and nothing else', async () => {
    const session = await startIn(job, 'echo ready; read go')
    await readUntil(session, 'ready')
    const [stdin, stdout, stderr, ...others] = descriptors(session.pid)
    for (const pipe of [stdin, stdout, stderr]) expect(pipe).toMatch(/^\d pipe:\[\d+\]$/)
    expect(others).toEqual([])
  })

  it('can open /dev/stdin, /dev/stdout and /dev/stderr', async () => {
    const session = await startIn(job, 'cat /dev/stdin; echo out > /dev/stdout; echo err > /dev/stderr')
    session.stdin.end('in\n')
    expect((await readAll(session.stdout)).toString()).toBe('in\nout\n')
    expect((await readAll(session.stderr)).toString()).toBe('err\n')
  })

  it('can open /dev/stdin after its end', async () => {
    const session = await startIn(job, 'sleep 0.3; cat /dev/stdin; cat /dev/stdin')
    session.stdin.end('in\n')
    expect((await readAll(session.stdout)).toString()).toBe('in\n')
  })

  it('sees the end of its input, and we see the end of its output', async () => {
    const { stdout, end } = await runIn(job, 'cat; echo done; exec 1>&-; exec 2>&-; sleep 0.1; exit 4')
    expect(stdout).toBe('done\n')
    expect(end).toEqual({ exitCode: 4 })
  })

  it('gets SIGPIPE when its output is closed', async () => {
    const session = await startIn(job, 'exec yes')
    session.stdout.destroy()
    expect(await session.ended).toMatchObject({ signal: 'PIPE' })
  })

  it('stops when nobody reads, and 20 MB arrive byte-exact then', async () => {
    const session = await startIn(job, 'head -c 20000000 /dev/zero; echo end')
    await sleep(200)
    expect(session.stdout.readableLength).toBeLessThan(300_000)
    const output = await readAll(session.stdout)
    expect(output.length).toBe(20_000_004)
    expect(output.indexOf('end')).toBe(20_000_000)
  })

  it('that does not read takes little of its input, and closing it is no error', async () => {
    const session = await startIn(job, 'sleep 0.3')
    let accepted = 0
    while (session.stdin.write(Buffer.alloc(16384))) accepted += 16384
    expect(accepted).toBeLessThan(300_000)
    expect(await session.ended).toEqual({ exitCode: 0 })
    session.stdin.write('more')
    await readAll(session.stdout)
  })

  it('keeps its output open for a process in the background until that ends', async () => {
    const session = await startIn(job, '(sleep 0.3; echo late) & echo early')
    expect(await session.ended).toEqual({ exitCode: 0 })
    expect((await readAll(session.stdout)).toString()).toBe('early\nlate\n')
  })

  it('has pipes also in a burst', async () => {
    const commands = Array.from({ length: 30 }, (_, n) => runIn(job, `echo ${n} > /dev/stderr`))
    const results = await Promise.all(commands)
    expect(results.map(({ stderr }) => stderr)).toEqual(Array.from({ length: 30 }, (_, n) => `${n}\n`))
  })

  it('leaves no descriptor behind', async () => {
    await runIn(job, 'true')
    await sleep(100)
    const before = descriptors().length
    for (let round = 0; round < 30; round++) await runIn(job, 'true')
    await sleep(100)
    expect(Math.abs(descriptors().length - before)).toBeLessThan(10)
  })
})
