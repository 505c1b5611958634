import { withHabit } from '../../../../src/cli/session/habits.js'
import { messageOf, SshjobError } from '../../../../src/core/errors.js'
import { runProgram, SSHJOB } from '../../../helpers/programs.js'
import { environmentFor, serveJob } from '../../../helpers/served-job.js'
import { temporaryDirectory } from '../../../helpers/temporary-directory.js'

const missing = new SshjobError('job-not-found', 'Not there.')

describe('the words of other programs', () => {
  it.each([
    ['list', "There is no job list here: 'sshjob ls' lists jobs."],
    ['exec train ls -l', "There is no job exec here: 'sshjob train ls -l' runs a command in a job."],
    ['exec train -- ls', "There is no job exec here: 'sshjob train ls' runs a command in a job."],
    ['run', "There is no job run here: 'sshjob JOB COMMAND' runs a command in a job."],
    ['attach train', "There is no job attach here: 'sshjob train' is a terminal in a job."],
    ['login', "There is no job login here: 'sshjob JOB' is a terminal in a job."],
    [
      'logs -f train',
      "There is no job logs here: 'sshjob train tail -f FILE' shows a file of a job as it grows.",
    ],
    ['version', "There is no job version here: 'sshjob --version' says which it is."],
  ])('get a sentence: sshjob %s', (line, sentence) => {
    const error = withHabit(missing, line.split(' '))
    expect(messageOf(error)).toBe(sentence)
    expect(error).toMatchObject({ code: 'job-not-found' })
  })

  it.each(['train', 'constructor', ''])('get none where they mean nothing: %j', (word) => {
    expect(withHabit(missing, [word])).toBe(missing)
  })

  const folder = temporaryDirectory()
  const sshjob = (...args: string[]) => runProgram(SSHJOB, args, { env: environmentFor(folder()) })

  it('are told by the program, and help is given', async () => {
    expect(await sshjob('exec', '-it', 'train', '--', 'bash')).toMatchObject({
      exitCode: 255,
      stderr: expect.stringMatching(
        /^sshjob: -it is of docker and kubectl: .* 'sshjob train bash' runs a command in a job\.\n$/,
      ),
    })
    expect((await sshjob('ps')).stderr).toBe("sshjob: There is no job ps here: 'sshjob ls' lists jobs.\n")
    const help = await sshjob('help', 'cp')
    expect(help).toMatchObject({ exitCode: 0, stderr: '' })
    expect(help.stdout).toMatch(/^Usage: sshjob /)
  })

  it('may be names of jobs', async () => {
    for (const id of ['help', 'exec']) {
      const job = await serveJob(folder(), id)
      expect(await sshjob(id, 'echo in; exit 3')).toMatchObject({ exitCode: 3, stdout: 'in\n', stderr: '' })
      expect((await sshjob(id, '-it')).stderr).not.toContain('runs a command')
      await job.stop()
    }
  })
})
