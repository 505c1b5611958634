import { createConnection } from 'node:net'
import { join } from 'node:path'
import { connect } from '../../src/client/connect.js'
import { runProgram, startProgram } from '../helpers/programs.js'
import { serveJob } from '../helpers/served-job.js'
import { temporaryDirectory } from '../helpers/temporary-directory.js'

const directory = temporaryDirectory()
const example = (name: string): string => join(process.cwd(), 'examples', name)

test('the example that embeds a server lets a client in, and leaves no socket behind', async () => {
  const program = startProgram(example('embed-server.mjs'), [])
  await program.waitFor(/sessions at (\S+)/)
  const [, path = ''] = /sessions at (\S+)/.exec(program.stdout().toString()) ?? []

  const connection = await connect(createConnection(path))
  const remote = await connection.exec('echo $SSHJOB_JOB_ID', { stdin: null })
  const { stdout, exitCode } = await remote.output()
  await connection.close()
  program.kill('SIGTERM')

  expect({ said: stdout.toString(), exitCode }).toEqual({ said: 'simulation\n', exitCode: 0 })
  expect((await program.ended).exitCode).toBe(0)
})

test('the example that runs a command prints what it wrote and how it ended', async () => {
  const { id, env, stop } = await serveJob(directory(), 'example')
  const { stdout, stderr } = await runProgram(example('run-command.mjs'), [id, 'echo', 'out;', 'exit', '3'], {
    env,
  })
  await stop()

  expect({ stdout, stderr }).toEqual({ stdout: 'out\nexit code 3\n', stderr: '' })
})

test('the example of two sessions runs both on one connection', async () => {
  const { stdout, exitCode } = await runProgram(example('two-sessions.mjs'), [])

  expect({ stdout, exitCode }).toEqual({ stdout: '1 2 3 \nA WORD\n\n', exitCode: 0 })
})
