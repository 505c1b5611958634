import { exitStatus } from '../../../../src/cli/ending/exit-status.js'

describe('the exit status', () => {
  it('is that of the command, 255 among them', () => {
    expect(exitStatus({ exitCode: 0, signal: undefined })).toEqual({ status: 0 })
    expect(exitStatus({ exitCode: 255, signal: undefined })).toEqual({ status: 255 })
  })

  it('is 128 and the number for a signal, with a line that says which', () => {
    const end = { exitCode: undefined, signal: 'KILL', coreDumped: false, message: '' }
    expect(exitStatus(end)).toEqual({ status: 137, note: 'The remote process was ended by signal KILL.' })
  })

  it('says nothing twice', () => {
    const end = {
      exitCode: undefined,
      signal: 'TERM',
      coreDumped: false,
      message: 'terminated by signal TERM',
    }
    expect(exitStatus(end).note).toBe('The remote process was ended by signal TERM.')
  })

  it('tells of a core dump, and what the server said, without control characters', () => {
    const end = { exitCode: undefined, signal: 'SEGV', coreDumped: true, message: 'bad\x1b[2J pointer' }
    expect(exitStatus(end)).toEqual({
      status: 139,
      note: 'The remote process was ended by signal SEGV (core dumped): bad?[2J pointer.',
    })
  })

  it('knows the real-time signals of the job, which Node.js does not', () => {
    const end = { exitCode: undefined, signal: 'RTMIN+3', coreDumped: false, message: '' }
    expect(exitStatus(end).status).toBe(165)
  })
})
