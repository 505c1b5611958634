import { pipeline } from 'node:stream/promises'
import { remoteSide } from '../../client/copy/sides.js'
import type { RemoteFiles } from '../../client/sftp/types.js'
import { SshjobError } from '../../core/errors.js'
import { flushOutput } from '../output/report.js'
import { copyOutput } from '../session/session-streams.js'
import type { CopyRequest } from './locations.js'

/** What stands for our standard input or output, as in cat(1) and tar(1). */
const STDIO = Buffer.from('-')

/** Whether one side is our standard input or output. */
export function isPipe({ direction, sources, target }: CopyRequest): boolean {
  return direction === 'up' ? sources.some((source) => source.equals(STDIO)) : target.equals(STDIO)
}

/** Copies our input into a file of the job, or a file of the job to our output. */
export async function copyPipe(files: RemoteFiles, request: CopyRequest, signal: AbortSignal): Promise<void> {
  const { job, direction, sources, target } = request
  const side = remoteSide(files, job)
  if (direction === 'down') {
    const [source = target] = sources
    const stats = await side.stat(source)
    if (stats === undefined)
      throw new SshjobError('no-such-file', `${side.name(source)} does not exist ${side.where}.`)
    if (stats.type === 'folder')
      throw new SshjobError('usage', `${side.name(source)} is a folder: '-' takes one file.`)
    await copyOutput(files.createReadStream(source, { signal }), process.stdout)
    return flushOutput()
  }
  const there = await side.lstat(target)
  if (there?.type === 'folder')
    throw new SshjobError('usage', `${side.name(target)} is a folder: name the file that is to be written.`)
  if (there?.type === 'link') {
    throw new SshjobError(
      'file-failed',
      `${side.name(target)} is a link, and is not written through: name what it leads to, or remove it.`,
    )
  }
  await pipeline(process.stdin, files.createWriteStream(target, { signal }))
}
