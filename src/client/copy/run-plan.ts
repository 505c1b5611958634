import { abortError, type ErrorCode, messageOf, SshjobError } from '../../core/errors.js'
import { COPY_FILES_AT_ONCE } from '../../core/limits.js'
import { modeOfCopy } from '../sftp/attributes.js'
import type { FileProgress } from '../sftp/types.js'
import type { CopyPlan, PlannedItem } from './plan.js'
import type { CopyFile, Side } from './sides.js'

export interface RunOptions {
  preserve: boolean
  resume: boolean
  /** Ends it. */
  signal?: AbortSignal | undefined
  /** Bytes that are there now, of the whole plan, and what is being copied. */
  onProgress: (doneBytes: number, path: Buffer) => void
  /** Says why something could not be copied; the rest is copied all the same. */
  onFailure: (failure: SshjobError) => void
}

const OWNER_MAY_WRITE = 0o700
/** There is nothing to go on with. */
const LOST: readonly ErrorCode[] = ['connection-lost', 'connection-closed', 'aborted']

/** Does what was planned; gives how many could not be copied. */
export async function runPlan(
  plan: CopyPlan,
  { source, target, copyFile }: { source: Side; target: Side; copyFile: CopyFile },
  options: RunOptions,
): Promise<number> {
  const failed = new Set<PlannedItem>()
  let done = 0
  const attempt = async (item: PlannedItem, work: () => Promise<void>): Promise<void> => {
    // Nothing is written to what was refused, nor below it: a link there would lead it elsewhere.
    if (isIn(item, failed)) return
    if (options.signal?.aborted) throw abortError(options.signal)
    try {
      await work()
    } catch (error) {
      if (error instanceof SshjobError && LOST.includes(error.code)) throw error
      failed.add(item)
      options.onFailure(
        new SshjobError('file-failed', `${source.name(item.from)} is not copied: ${messageOf(error)}`, {
          cause: error,
        }),
      )
    }
  }

  for (const folder of plan.folders) await attempt(folder, () => makeFolder(target, folder, options))
  await eachAtOnce(plan.files, (file) =>
    attempt(file, () => {
      let before = 0
      const onProgress = (progress: FileProgress): void => {
        done += progress.done - before
        before = progress.done
        options.onProgress(done, file.to)
      }
      return copyFile(file.from, file.to, {
        preserve: options.preserve,
        resume: options.resume,
        ...(options.signal === undefined ? {} : { signal: options.signal }),
        onProgress,
      })
    }),
  )
  for (const link of plan.links) {
    await attempt(link, async () => {
      const leadsTo = await source.readLink(link.from)
      const there = await target.lstat(link.to)
      if (options.resume && there?.type === 'link' && leadsTo.equals(await target.readLink(link.to))) return
      await target.makeLink(leadsTo, link.to)
    })
  }
  // Last, from the inside out: what is made in a folder changes its time, and may need its write permission.
  if (options.preserve) {
    for (const folder of plan.folders.toReversed()) {
      const mode = modeOfCopy(folder.stats.mode, true)
      await attempt(folder, () => target.setAttributes(folder.to, { ...folder.stats, mode }))
    }
  }
  return failed.size
}

/** Whether it is one of these, or below one. */
function isIn(item: PlannedItem, items: ReadonlySet<PlannedItem>): boolean {
  for (let at: PlannedItem | undefined = item; at !== undefined; at = at.parent)
    if (items.has(at)) return true
  return false
}

/** A folder that is there is used; a link in its place, which could lead anywhere, is not. */
async function makeFolder(target: Side, { to, stats }: PlannedItem, { preserve }: RunOptions): Promise<void> {
  const there = await target.lstat(to)
  if (there === undefined) return target.makeFolder(to, modeOfCopy(stats.mode, preserve) | OWNER_MAY_WRITE)
  if (there.type === 'folder') return
  throw new SshjobError(
    'file-failed',
    `${target.name(to)} is there and is not a folder: remove it, or copy to another name.`,
  )
}

/** Small files cost round trips: some are copied at a time. The first failure that is thrown ends it. */
async function eachAtOnce<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  let next = 0
  const worker = async (): Promise<void> => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) await work(item)
  }
  await Promise.all(Array.from({ length: COPY_FILES_AT_ONCE }, worker))
}
