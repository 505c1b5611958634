import { BlockingCalls } from '../core/blocking-calls.js'
import { THREADS_FOR_FILES } from '../core/limits.js'
import { silent } from '../core/log.js'
import { widenThreadPool } from '../core/thread-pool.js'
import { fileCalls } from '../job/local-files.js'
import { answerForFiles } from '../process/answer-for-files.js'
import { serveSftp } from '../server/sftp/serve-sftp.js'
import { SftpConnection } from '../server/sftp/sftp-connection.js'

// Started by sshjob-server, for the files of its job.
widenThreadPool(THREADS_FOR_FILES)
answerForFiles(
  () => ({ connection: new SftpConnection(), calls: fileCalls(new BlockingCalls()) }),
  (stream, { directory, home }, { connection, calls }) =>
    serveSftp(stream, stream, { files: { directory, home, calls }, connection, log: silent }).ended,
)
