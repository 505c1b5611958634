import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { describeWith } from '../helpers/needs.js'
import { HOST, sshOf } from '../helpers/openssh.js'
import { peakMemory, residentBytes, serverOf } from '../helpers/processes.js'
import { type RunningProgram, runProgram, SSHJOB, startProgram } from '../helpers/programs.js'
import { JOB, starterSuite } from '../helpers/starter.js'

const MIB = 2 ** 20
/** More than windows and buffers take (16 MiB for a channel), far less than what a second of `yes` makes. */
const GROWTH = 60 * MIB
const WATCH_MS = 3_000

const { user, start } = starterSuite()
const sshjob = (...args: string[]) => startProgram(SSHJOB, args, { env: user().env })

/** Reads some of the output, so that everything that is allocated once is, and then stops the program. */
async function stopWhileItPours(program: RunningProgram): Promise<void> {
  let seen = 0
  program.child.stdout.removeAllListeners('data')
  program.child.stdout.on('data', (chunk: Buffer) => {
    seen += chunk.length
  })
  while (seen < 8 * MIB) await delay(10)
  program.kill('SIGSTOP')
}

async function expectFlat(pids: number[]): Promise<void> {
  const before = pids.map(residentBytes)
  const peaks = await peakMemory(pids, WATCH_MS)
  for (const [index, peak] of peaks.entries()) expect(peak - (before[index] ?? 0)).toBeLessThan(GROWTH)
}

describe('a client that is stopped while a command pours', () => {
  it('costs the starter no memory, and goes on where it was', async () => {
    const starter = await start()
    const client = sshjob(JOB, 'yes')
    await stopWhileItPours(client)
    await expectFlat([serverOf(starter.pid)])
    // The other sessions do not wait for it.
    expect((await runProgram(SSHJOB, [JOB, 'exit 3'], { env: user().env })).exitCode).toBe(3)
    client.kill('SIGCONT')
    await stopWhileItPours(client)
    client.kill('SIGKILL')
  })
})

describeWith(['ssh'], 'ssh that is stopped while a command pours', () => {
  const ssh = sshOf(user)

  it.each([
    ['without a terminal', '-T'],
    ['with a terminal', '-tt'],
  ])('costs the starter no memory, %s', async (_how, option) => {
    const starter = await start()
    const client = ssh.start([option, HOST, 'yes'])
    await stopWhileItPours(client)
    await expectFlat([serverOf(starter.pid)])
    client.kill('SIGKILL')
  })
})

describe('2 GB for a command that does not read', () => {
  it('stay with their sender, whose writes block: both ends stay small', async () => {
    const starter = await start()
    const client = sshjob(JOB, 'echo in; exec sleep 1000')
    await client.waitFor(/in/)
    const source = spawn('head', ['-c', '2000000000', '/dev/zero'], { stdio: ['ignore', 'pipe', 'ignore'] })
    source.stdout.pipe(client.child.stdin)
    await expectFlat([serverOf(starter.pid), client.pid])
    expect(source.exitCode).toBeNull()
    expect(client.child.exitCode).toBeNull()
    source.kill('SIGKILL')
    await once(source, 'exit')
    source.stdout.destroy()
    client.kill('SIGKILL')
  })
})
