import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import { JOB_AD_MAX_BYTES } from '../../core/limits.js'

/** Attributes of a ClassAd by name; the values as they are written. */
export type JobAd = ReadonlyMap<string, string>

/**
 * The description of the job that its starter leaves in the scratch folder: a line `Name = expression` for each
 * attribute. Where it can't be read, nothing is known.
 */
export function readJobAd(path: string): JobAd {
  const ad = new Map<string, string>()
  try {
    for (const line of readPlainFile(path).split('\n')) {
      const [, name, value] = /^(\w+) = (.*)$/.exec(line) ?? []
      if (name !== undefined && value !== undefined) ad.set(name, value)
    }
  } catch {
    // An empty one, then: whatever is needed of it has a default.
  }
  return ad
}

/** The job may have put anything in its place: a FIFO would be waited for, and /dev/zero read for ever. */
function readPlainFile(path: string): string {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const status = fstatSync(descriptor)
    return status.isFile() && status.size <= JOB_AD_MAX_BYTES ? readFileSync(descriptor, 'utf8') : ''
  } finally {
    closeSync(descriptor)
  }
}

/** The value of an attribute that is a plain string: "…", with \" and \\ in it. */
export function textOf(ad: JobAd, name: string): string | undefined {
  const literal = /^"((?:[^"\\]|\\.)*)"$/.exec(ad.get(name) ?? '')?.[1]
  return literal?.replace(/\\(.)/g, '$1')
}

export function numberOf(ad: JobAd, name: string): number | undefined {
  const value = ad.get(name)
  return value !== undefined && /^\d+$/.test(value) ? Number(value) : undefined
}

/** An attribute that is literally true, whatever its case (ClassAd language reference, literals). */
export function isTrue(ad: JobAd, name: string): boolean {
  return ad.get(name)?.toLowerCase() === 'true'
}
