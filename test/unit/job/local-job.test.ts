import { runIn, TERMINAL, testJob } from '../../helpers/job-session.js'

describe('a session in the job', () => {
  it('runs a command and tells its exit code', async () => {
    const result = await runIn(testJob(), 'echo out; echo err >&2; exit 7')
    expect(result).toEqual({ stdout: 'out\n', stderr: 'err\n', end: { exitCode: 7 } })
  })

  it('runs a command in a terminal', async () => {
    const result = await runIn(testJob(), 'tty; echo $TERM; exit 7', { terminal: TERMINAL })
    expect(result.stdout).toMatch(/^\/dev\/pts\/\d+\r\nxterm\r\n$/)
    expect(result.end).toEqual({ exitCode: 7 })
  })
})
