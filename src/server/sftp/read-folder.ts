import { systemCode } from '../../core/errors.js'
import { SFTP_READDIR_ENTRIES } from '../../core/limits.js'
import type { FileCalls } from '../../job/file-calls.js'
import { FX } from '../../ssh/sftp-protocol.js'
import type { Accounts } from './accounts.js'
import { attributesOf, type Name, namesAnswer, statusAnswer } from './answers.js'
import { status } from './failure.js'
import type { OpenFolder } from './handles.js'
import { longName } from './long-name.js'

const SLASH = Buffer.from('/')
const DOTS = [Buffer.from('.'), Buffer.from('..')]

/** The next entries of a folder, as many as one answer takes; EOF when there are no more. */
export async function readFolder(
  calls: FileCalls,
  folder: OpenFolder,
  id: number,
  accounts: Accounts,
): Promise<Buffer> {
  const describe = describer(calls, folder.path, accounts)
  for (;;) {
    const names = await nextNames(calls, folder)
    if (names.length === 0) return statusAnswer(id, status(FX.EOF))
    const found = await Promise.all(names.map(describe))
    const there = found.filter((entry) => entry !== undefined)
    // All of them gone meanwhile: that is not yet the end.
    if (there.length > 0) return namesAnswer(id, there)
  }
}

async function nextNames(calls: FileCalls, folder: OpenFolder): Promise<Buffer[]> {
  // Node.js leaves them out; clients are used to them.
  const dots = folder.started ? [] : DOTS
  folder.started = true
  return [...dots, ...(await calls.readDirectory(folder, SFTP_READDIR_ENTRIES - dots.length))]
}

function describer(
  calls: FileCalls,
  folder: Buffer,
  accounts: Accounts,
): (name: Buffer) => Promise<Name | undefined> {
  const now = Date.now()
  return async (name) => {
    try {
      const stats = await calls.lstatOfEntry(Buffer.concat([folder, SLASH, name]))
      return { name, longName: longName(name, stats, accounts, now), attributes: attributesOf(stats) }
    } catch (error) {
      if (systemCode(error) === 'not-answering') throw error
      // Gone since it was listed, or not ours to look at: sftp-server leaves it out as well.
      return undefined
    }
  }
}
