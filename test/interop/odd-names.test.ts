import { mkdirSync, readFileSync } from 'node:fs'
import { runProgram, SSHJOB, SSHJOB_SERVER, startProgram } from '../helpers/programs.js'
import { temporaryDirectory } from '../helpers/temporary-directory.js'

const folder = temporaryDirectory()

describe('a working directory whose name is not UTF-8', () => {
  /** The last part of the directory's name, byte by byte. */
  const SHOW = `printf %s "\${PWD##*/}" | od -An -tx1`

  it("is the job's and its sessions'", async () => {
    mkdirSync(Buffer.concat([Buffer.from(`${folder()}/`), Buffer.from('caf\xe9', 'latin1')]))
    const env = { PATH: process.env.PATH, HOME: '/', SSHJOB_RUNTIME_DIR: `${folder()}/run` }
    // Names of programs and folders are strings in Node.js: a shell goes there.
    const words = [process.execPath, SSHJOB_SERVER, '--job-id', 'odd', '--', 'sh', '-c', `${SHOW}; cat`]
    const server = startProgram('sh', ['-c', 'cd "$0"/caf* && exec "$@"', folder(), ...words], { env })
    await server.waitFor(/^ 63 61 66 e9$/m)
    for (const options of [['-T'], ['-tt']]) {
      const session = await runProgram(SSHJOB, [...options, 'odd', SHOW], { env })
      expect(session).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^ 63 61 66 e9\r?\n$/) })
    }
    // Files are named from there, too.
    const file = `${folder()}/copied`
    expect(await runProgram(SSHJOB, ['odd', 'echo out > f'], { env })).toMatchObject({ exitCode: 0 })
    expect(await runProgram(SSHJOB, ['cp', '-q', 'odd:f', file], { env })).toMatchObject({ exitCode: 0 })
    expect(readFileSync(file, 'utf8')).toBe('out\n')
    expect(await runProgram(SSHJOB, ['cp', '-q', file, 'odd:g'], { env })).toMatchObject({ exitCode: 0 })
    expect(await runProgram(SSHJOB, ['odd', 'cat g'], { env })).toMatchObject({ stdout: 'out\n' })
    server.child.stdin.end()
    expect(await server.ended).toEqual({ exitCode: 0, signal: null })
  })
})
