import { lstat } from 'node:fs'
import { SFTP_READDIR_ENTRIES } from '../../core/limits.js'
import { FX } from '../../ssh/sftp-protocol.js'
import type { Accounts } from './accounts.js'
import { attributesOf, type Name, namesAnswer, statusAnswer } from './answers.js'
import { status } from './failure.js'
import type { OpenFolder } from './handles.js'
import { longName } from './long-name.js'

const SLASH = Buffer.from('/')
const DOTS = [Buffer.from('.'), Buffer.from('..')]

/** The next entries of a folder, as many as one answer takes; EOF when there are no more. */
export async function readFolder(folder: OpenFolder, id: number, accounts: Accounts): Promise<Buffer> {
  for (;;) {
    const names = await nextNames(folder)
    if (names.length === 0) return statusAnswer(id, status(FX.EOF))
    const now = Date.now()
    const found = await Promise.all(names.map((name) => describe(folder.path, name, accounts, now)))
    const there = found.filter((entry) => entry !== undefined)
    // All of them gone meanwhile: that is not yet the end.
    if (there.length > 0) return namesAnswer(id, there)
  }
}

async function nextNames(folder: OpenFolder): Promise<Buffer[]> {
  const names: Buffer[] = []
  // Node.js leaves them out; clients are used to them.
  if (!folder.started) names.push(...DOTS)
  folder.started = true
  while (names.length < SFTP_READDIR_ENTRIES) {
    const entry = await folder.folder.read()
    if (entry === null) break
    names.push(entry.name)
  }
  return names
}

/** By callback: a promise of Node.js for each of 100,000 entries costs more than the call itself. */
function describe(folder: Buffer, name: Buffer, accounts: Accounts, now: number): Promise<Name | undefined> {
  return new Promise((resolve) => {
    lstat(Buffer.concat([folder, SLASH, name]), (error, stats) => {
      // Gone since it was listed, or not ours to look at: sftp-server leaves it out as well.
      if (error !== null) resolve(undefined)
      else resolve({ name, longName: longName(name, stats, accounts, now), attributes: attributesOf(stats) })
    })
  })
}
