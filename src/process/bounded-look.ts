import { PATH_LOOK_TIMEOUT_MS, PATH_LOOKS_MAX } from '../core/limits.js'
import { threadPoolSize } from '../core/thread-pool.js'
import { withinTime } from '../core/within-time.js'

/** Whether something holds of a path; 'silent' where its file system has not answered in time. */
export type Answer = 'yes' | 'no' | 'silent'

interface Look {
  readonly answer: Promise<Answer>
  readonly since: number
}

const underWay = new Map<string, Look>()

const timeLeft = ({ since }: Look): number => since + PATH_LOOK_TIMEOUT_MS - Date.now()

/**
 * Looks at a path for at most PATH_LOOK_TIMEOUT_MS. On a dead NFS server or a hung FUSE a look lasts until that answers
 * again, and takes a thread of the pool that serves files and names: so each path has one look at a time, whoever asks
 * for it meanwhile shares it, and once PATH_LOOKS_MAX wait, or half of the pool, no other is begun.
 * @param path names the path; the same for the same question
 */
export async function lookAt(path: string, look: (path: string) => Promise<boolean>): Promise<Answer> {
  const known = underWay.get(path)
  if (known !== undefined) return inTime(known)
  const late = [...underWay.values()].filter((other) => timeLeft(other) <= 0).length
  const most = Math.min(PATH_LOOKS_MAX, Math.max(Math.floor(threadPoolSize() / 2), 1))
  if (late >= most) return 'silent'
  const answer = look(path)
    .then((holds): Answer => (holds ? 'yes' : 'no'))
    .catch((): Answer => 'no')
    .finally(() => underWay.delete(path))
  const begun = { answer, since: Date.now() }
  underWay.set(path, begun)
  return inTime(begun)
}

/** How many looks have no answer yet: each has a thread. */
export const looksUnderWay = (): number => underWay.size

async function inTime(look: Look): Promise<Answer> {
  const left = timeLeft(look)
  return left <= 0 ? 'silent' : withinTime(look.answer, left, () => 'silent')
}
