import type { Duplex } from 'node:stream'
import { answerHello, type HelloOptions } from '../hello/exchange.js'
import type { Job } from '../job/job.js'
import { describeJob } from './describe-job.js'

/** Answers a hello without a key, which asks about the job and enters nothing. @throws as answerHello() */
export async function answerQuestion(stream: Duplex, job: Job, options: HelloOptions): Promise<void> {
  await answerHello(stream, { ok: true, job: describeJob(job) }, options)
  stream.end(() => stream.destroy())
}
