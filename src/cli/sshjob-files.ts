import { THREADS_FOR_FILES } from '../core/limits.js'
import { silent } from '../core/log.js'
import { widenThreadPool } from '../core/thread-pool.js'
import { answerForFiles } from '../process/answer-for-files.js'
import { serveSftp } from '../server/sftp/serve-sftp.js'

// Started by sshjob-server, for the files of its job.
widenThreadPool(THREADS_FOR_FILES)
answerForFiles((stream, { directory, home }, calls) => {
  return serveSftp(stream, stream, { files: { directory, home }, calls, log: silent }).ended
})
