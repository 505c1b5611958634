/** `sshjob cp`, with less patience for file systems here that do not answer. */
import { runCopyCommand } from '../../src/cli/copy/cp.js'
import { reportFailure } from '../../src/cli/output/report.js'
import { callBudget } from '../../src/core/blocking-calls.js'
import { exitAtOnce } from '../../src/process/exit.js'

callBudget({ slowMs: 100, giveUpMs: 2_000 })
await runCopyCommand(process.argv.slice(2)).catch(reportFailure).then(exitAtOnce)
