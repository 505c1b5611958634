import { SSHJOB, startProgram } from '../../../helpers/programs.js'
import { environmentFor } from '../../../helpers/served-job.js'
import { temporaryDirectory } from '../../../helpers/temporary-directory.js'

describe('a command whose output nobody reads any more', () => {
  const folder = temporaryDirectory()

  it.each([['--help'], ['--version'], ['ls'], ['ls', '--json'], ['ssh-config']])(
    '%j does its work',
    async (...args) => {
      const program = startProgram(SSHJOB, args, { env: environmentFor(folder()) })
      program.child.stdout.destroy()
      expect(await program.ended).toEqual({ exitCode: 0, signal: null })
      expect(program.stderr().toString()).not.toContain('EPIPE')
    },
  )
})
