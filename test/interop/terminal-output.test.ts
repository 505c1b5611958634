import { describeWith } from '../helpers/needs.js'
import { HOST, sshOf } from '../helpers/openssh.js'
import { runProgram, SSHJOB } from '../helpers/programs.js'
import { JOB, starterSuite } from '../helpers/starter.js'

const ROUNDS = 20
const LINES = 150_000
const COMMAND = `seq 1 ${LINES}; exit 3`
/** About 1 MB; a terminal makes each newline a CR and a newline. */
const OUTPUT = Array.from({ length: LINES }, (_, line) => `${line + 1}\r\n`).join('')

async function expectComplete(
  run: () => Promise<{ exitCode: number | null; stdout: string }>,
): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    const { exitCode, stdout } = await run()
    expect({ exitCode, bytes: stdout.length }).toEqual({ exitCode: 3, bytes: OUTPUT.length })
    expect(stdout === OUTPUT).toBe(true)
  }
}

describe('what a program writes to its terminal just before it ends', () => {
  const { user, start } = starterSuite()

  it(`comes through sshjob whole, ${ROUNDS} times`, async () => {
    await start()
    await expectComplete(() => runProgram(SSHJOB, ['-tt', JOB, COMMAND], { env: user().env }))
  })
})

describeWith(['ssh'], 'what a program writes to its terminal just before it ends, by ssh', () => {
  const { user, start } = starterSuite()
  const ssh = sshOf(user)

  it(`comes through whole, ${ROUNDS} times`, async () => {
    await start()
    await expectComplete(() => ssh.run(['-tt', HOST, COMMAND]))
  })
})
