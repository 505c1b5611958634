// Runs a command in a job of this user and prints what it wrote: node run-command.mjs JOB COMMAND
import { connectToJob } from 'sshjob'

const [job, ...command] = process.argv.slice(2)
const connection = await connectToJob(job)
const remote = await connection.exec(command.join(' '), { stdin: null })
const { stdout, stderr, exitCode, signal } = await remote.output()
await connection.close()

process.stdout.write(stdout)
process.stderr.write(stderr)
console.log(signal === undefined ? `exit code ${exitCode}` : `ended by signal ${signal}`)
