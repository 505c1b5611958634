import { describeUnexpected } from '../core/errors.js'
import { printable } from '../core/printable.js'
import { runKeygen } from './keygen/run.js'

/** As ssh-keygen(1) exits with. */
const EXIT_FAILURE = 1

try {
  process.stdout.write(runKeygen(process.argv.slice(2)))
} catch (error) {
  process.stderr.write(`sshjob-keygen: ${printable(describeUnexpected(error))}\n`)
  process.exitCode = EXIT_FAILURE
}
