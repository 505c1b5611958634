import { SSHJOB, startProgram } from '../../helpers/programs.js'

describe('a command whose output nobody reads any more', () => {
  it.each([['--help'], ['--version'], ['ls'], ['ls', '--json'], ['ssh-config']])(
    '%j does its work',
    async (...args) => {
      const program = startProgram(SSHJOB, args)
      program.child.stdout.destroy()
      expect(await program.ended).toEqual({ exitCode: 0, signal: null })
      expect(program.stderr().toString()).not.toContain('EPIPE')
    },
  )
})
