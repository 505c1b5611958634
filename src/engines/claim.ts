import type { Stats } from 'node:fs'
import fs from 'node:fs/promises'
import { resolve } from 'node:path'
import { ownCalls } from '../core/blocking-calls.js'
import { systemCode } from '../core/errors.js'
import { CLAIM_MAX_AGE_MS } from '../core/limits.js'

/**
 * Runs `work` while no other process of this user runs work under the same claim, which is a file. Returns undefined
 * at once, without having run it, if another does. Held for milliseconds: a claim older than CLAIM_MAX_AGE_MS was
 * left by a process that was killed, and is taken away.
 */
export async function withClaim<T>(path: string, work: () => Promise<T>): Promise<T | undefined> {
  if (!(await take(path)) && !((await isAbandoned(path)) && (await take(path)))) return undefined
  try {
    return await work()
  } finally {
    await fs.rm(path, { force: true })
  }
}

async function take(path: string): Promise<boolean> {
  try {
    // O_EXCL: open(2) makes the file or fails, in one step.
    await (await fs.open(path, 'wx', 0o600)).close()
    return true
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false
    throw error
  }
}

async function isAbandoned(path: string): Promise<boolean> {
  const status = await statIfThere(path)
  if (status === undefined) return true
  if (Date.now() - status.mtimeMs < CLAIM_MAX_AGE_MS) return false
  await fs.rm(path, { force: true })
  return true
}

/** lstat(2), or undefined where there is nothing. */
export async function statIfThere(path: string): Promise<Stats | undefined> {
  try {
    return await ownCalls().file(resolve(path), () => fs.lstat(path), { itself: true })
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}
