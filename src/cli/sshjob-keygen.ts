import { describeUnexpected } from '../core/errors.js'
import { printable } from '../core/printable.js'
import { runKeygen } from './keygen/run.js'

/** As ssh-keygen(1) exits with. */
const EXIT_FAILURE = 1

runKeygen(process.argv.slice(2)).then(
  (text) => void process.stdout.write(text),
  (error: unknown) => {
    process.stderr.write(`sshjob-keygen: ${printable(describeUnexpected(error))}\n`)
    process.exitCode = EXIT_FAILURE
  },
)
