import { basename } from 'node:path'
import { abortError, SshjobError } from '../../core/errors.js'
import type { FileStats } from '../sftp/types.js'
import { joinPath, type Side } from './sides.js'

export interface PlannedItem {
  from: Buffer
  to: Buffer
  stats: FileStats
  /** The folder that it is copied with. */
  parent?: PlannedItem
}

/** What is to be copied: folders come before what is in them. */
export interface CopyPlan {
  folders: PlannedItem[]
  files: PlannedItem[]
  links: PlannedItem[]
  totalBytes: number
}

export interface PlanOptions {
  /** What a sentence advises where a folder is refused; undefined: folders are copied with what is in them. */
  refuseFolders?: string | undefined
  signal?: AbortSignal | undefined
  /** Says what is left out. */
  note: (sentence: string) => void
}

/**
 * Looks at the sources, and finds what they will be called. A target that is a folder takes them with their names.
 * Links that are named are followed; those inside of a tree are copied as links, as cp(1) does it.
 */
export async function planCopy(
  source: Side,
  target: Side,
  { sources, target: to }: { sources: readonly Buffer[]; target: Buffer },
  options: PlanOptions,
): Promise<CopyPlan> {
  const plan: CopyPlan = { folders: [], files: [], links: [], totalBytes: 0 }
  const parent = parentOf(to)
  const [there, above] = await Promise.all([target.stat(to), parent && target.stat(parent)])
  const intoFolder = there?.type === 'folder'
  if (there === undefined && parent !== undefined && above === undefined) {
    throw new SshjobError(
      'no-such-file',
      `${target.name(parent)} does not exist ${target.where}, so nothing can be put there: make that folder first.`,
    )
  }
  if (sources.length > 1 && !intoFolder) {
    throw new SshjobError('usage', `${target.name(to)} is not a folder, so it can not take several files.`)
  }
  for (const from of sources) {
    const stats = await source.stat(from)
    if (stats === undefined) {
      throw new SshjobError('no-such-file', `${source.name(from)} does not exist ${source.where}.`)
    }
    if (stats.type === 'folder' && options.refuseFolders !== undefined) {
      throw new SshjobError('usage', `${source.name(from)} is a folder: ${options.refuseFolders}.`)
    }
    const last = basename(from.toString('latin1'))
    // '.', '..' and '/' have no name of their own: what is in them is copied.
    const named = intoFolder && !['', '.', '..', '/'].includes(last)
    await addItem(
      plan,
      source,
      { from, to: named ? joinPath(to, Buffer.from(last, 'latin1')) : to, stats },
      options,
    )
  }
  checkTargets([...plan.files, ...plan.links], source, target)
  return plan
}

/** The folder that a path is in; undefined where it names none, and what is meant is there in any case. */
function parentOf(path: Buffer): Buffer | undefined {
  const [, parent] = /^(.*[^/])\/+[^/]+\/*$/s.exec(path.toString('latin1')) ?? []
  return parent === undefined ? undefined : Buffer.from(parent, 'latin1')
}

/** Several are copied at a time: two into one file would be a mixture of both. */
function checkTargets(items: readonly PlannedItem[], source: Side, target: Side): void {
  const sources = new Map<string, Buffer>()
  for (const { from, to } of items) {
    const name = to.toString('latin1')
    const other = sources.get(name)
    if (other !== undefined) {
      throw new SshjobError(
        'usage',
        `${source.name(other)} and ${source.name(from)} would both become ${target.name(to)}: copy one of them elsewhere.`,
      )
    }
    sources.set(name, from)
  }
}

async function addItem(plan: CopyPlan, source: Side, item: PlannedItem, options: PlanOptions): Promise<void> {
  if (options.signal?.aborted) throw abortError(options.signal)
  switch (item.stats.type) {
    case 'file':
      plan.files.push(item)
      plan.totalBytes += item.stats.size
      return
    case 'link':
      plan.links.push(item)
      return
    case 'folder':
      plan.folders.push(item)
      for (const { name, stats } of await source.list(item.from)) {
        const [from, to] = [joinPath(item.from, name), joinPath(item.to, name)]
        await addItem(plan, source, { from, to, stats, parent: item }, options)
      }
      return
    case 'other':
      options.note(`${source.name(item.from)} is neither file, folder nor link: left out.`)
  }
}
