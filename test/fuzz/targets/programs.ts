import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { echo, type Program } from '../../helpers/memory-job.js'

const BLOCK = Buffer.alloc(16_384, 'x')
const BLOCKS = 200

async function flood(to: Writable): Promise<void> {
  for (let block = 0; block < BLOCKS && to.writable; block++)
    if (!to.write(BLOCK)) await Promise.race([once(to, 'drain'), once(to, 'close')])
}

/** What runs in the job, by the first word of the command: some write much, some end badly, all others write back. */
export const program: Program = async (process) => {
  switch (process.request.command?.toString('latin1').split(' ')[0]) {
    case 'flood':
      await flood(process.stdout)
      return { exitCode: 0 }
    case 'both':
      await Promise.all([flood(process.stdout), flood(process.stderr)])
      return { exitCode: 1 }
    case 'fail':
      process.stderr.write('no')
      return { exitCode: 7 }
    case 'signal':
      return { signal: 'TERM', coreDumped: false }
    default:
      return echo(process)
  }
}
