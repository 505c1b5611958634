import path from 'node:path'
import { SshjobError } from '../../core/errors.js'

const MAX_CHARACTERS = 64
/** A file name, a host name's label or two, and nothing that a shell or an option parser would take apart. */
const JOB_ID = /^[A-Za-z0-9_][A-Za-z0-9._:-]{0,63}$/

/** @throws SshjobError 'usage' */
export function checkJobId(id: string): void {
  if (JOB_ID.test(id)) return
  throw new SshjobError(
    'usage',
    `${JSON.stringify(id)} is not a job id: those have 1 to ${MAX_CHARACTERS} letters, digits, and . _ - : and begin with a letter, a digit or _.`,
  )
}

/** An id for the second job, or the third, that was given the same one: 'train-2'. The first has it as it is. */
export function numberedJobId(id: string, number: number): string {
  if (number === 1) return id
  const suffix = `-${number}`
  return `${id.slice(0, MAX_CHARACTERS - suffix.length)}${suffix}`
}

/** The id of a job that was given none: the command's name, and a number that tells it from others. */
export function defaultJobId(command: string, pid: number): string {
  const suffix = `-${pid}`
  const name = path
    .basename(command)
    .replace(/[^A-Za-z0-9._:-]/g, '_')
    .replace(/^[.:-]+/, '')
    .slice(0, MAX_CHARACTERS - suffix.length)
  return `${name === '' ? 'job' : name}${suffix}`
}
