/** As src/cli/sshjob-files.ts, with less patience for file systems that do not answer. */
import { BlockingCalls, callBudget } from '../../src/core/blocking-calls.js'
import { silent } from '../../src/core/log.js'
import { fileCalls } from '../../src/job/local-files.js'
import { answerForFiles } from '../../src/process/answer-for-files.js'
import { serveSftp } from '../../src/server/sftp/serve-sftp.js'
import { SftpConnection } from '../../src/server/sftp/sftp-connection.js'

callBudget({ slowMs: 100, giveUpMs: 2_000 })
answerForFiles(
  () => ({ connection: new SftpConnection(), calls: fileCalls(new BlockingCalls()) }),
  (stream, { directory, home }, { connection, calls }) =>
    serveSftp(stream, stream, { files: { directory, home, calls }, connection, log: silent }).ended,
)
