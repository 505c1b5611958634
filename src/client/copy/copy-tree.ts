import { SshjobError } from '../../core/errors.js'
import { planCopy } from './plan.js'
import { runPlan } from './run-plan.js'
import type { CopyFile, Side } from './sides.js'

/** Bytes of all that is copied, and what they are of. */
export interface TreeProgress {
  /** That are there now, those of a copy that is resumed included. */
  done: number
  total: number
  /** The file that the last of them are of, as it is called on the side that it is copied to. */
  path: Buffer
}

/** What will be copied. */
export interface TreeSize {
  /** Files, folders and links. */
  items: number
  /** Of files. */
  bytes: number
}

export interface TreeOptions {
  /** Ends it, with 'aborted'. */
  signal?: AbortSignal
  /** Gives copies the permissions and times of the originals; set-ID bits are never copied. Default: false. */
  preserve?: boolean
  /** Goes on behind what the target has already of a file, once that has been compared. Default: false. */
  resume?: boolean
  /** Called once all that is to be copied is known, before anything is. */
  onStart?: (size: TreeSize) => void
  /** Called as bytes have arrived. */
  onProgress?: (progress: TreeProgress) => void
  /** Gets each item that could not be copied, and why. The rest is copied all the same, and the call fails in the end. */
  onFailure?: (failure: SshjobError) => void
  /** Gets, in a sentence, what is left out because it is neither file, folder nor link. */
  onSkip?: (sentence: string) => void
}

export interface TreeCopy {
  source: Side
  target: Side
  copyFile: CopyFile
  sources: readonly Buffer[]
  /** A folder takes the sources with their names. */
  to: Buffer
  /** Whether folders are refused, and what the sentence says to do about it. Default: they are copied. */
  refuseFolders?: string | undefined
}

export interface TreeResult {
  /** How many items there were, */
  items: number
  /** and what failed: never more than MANY, */
  failures: readonly SshjobError[]
  /** of so many. */
  failed: number
}

/** As many failures as are kept: the first ones say what is wrong. */
const MANY = 10

/**
 * Copies trees from one side to the other. Links that are named are followed; those inside of a tree are copied as
 * links, as cp(1) does it, and none is written through.
 * @throws SshjobError 'no-such-file', 'usage' where nothing was copied for it; 'aborted', and what ends a connection
 */
export async function copyTree(copy: TreeCopy, options: TreeOptions): Promise<TreeResult> {
  const { signal, preserve = false, resume = false, onProgress, onFailure, onSkip } = options
  const { source, target, sources, to, refuseFolders } = copy
  const plan = await planCopy(
    source,
    target,
    { sources, target: to },
    { refuseFolders, signal, note: onSkip ?? (() => undefined) },
  )
  const items = plan.folders.length + plan.files.length + plan.links.length
  options.onStart?.({ items, bytes: plan.totalBytes })
  const failures: SshjobError[] = []
  const failed = await runPlan(plan, copy, {
    preserve,
    resume,
    signal,
    onProgress: (done, path) => onProgress?.({ done, total: Math.max(done, plan.totalBytes), path }),
    onFailure(failure) {
      if (failures.length < MANY) failures.push(failure)
      onFailure?.(failure)
    },
  })
  return { items, failures, failed }
}

/** @throws SshjobError 'file-failed' with the first failure, where there was one */
export function throwFailures({ items, failures: [first], failed }: TreeResult): void {
  if (first === undefined) return
  throw new SshjobError('file-failed', `${failed} of ${items} could not be copied: ${first.message}`, {
    cause: first,
  })
}
