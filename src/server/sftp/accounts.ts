import { readAccount } from '../../job/account.js'
import type { FileCalls } from '../../job/file-calls.js'

export interface NamedAccount {
  name: string
  home: string
}

/** Names of users and groups, as far as files tell: Node.js asks the directory service for our own account alone. */
export interface Accounts {
  userName(uid: number): string | undefined
  groupName(gid: number): string | undefined
  user(name: string): NamedAccount | undefined
}

/** Reads passwd(5) and group(5). Where one is missing or can't be read, there are numbers instead of names. */
export async function readAccounts(calls: FileCalls): Promise<Accounts> {
  const readTable = tableReader(calls)
  // Of two names for one number, and of two lines for one name, the first counts: getpwuid(3), getpwnam(3).
  const users: (NamedAccount & { uid: number })[] = []
  for (const [name, , id, , , home] of await readTable('/etc/passwd')) {
    if (name !== undefined && id !== undefined) users.push({ name, uid: Number(id), home: home ?? '/' })
  }
  const { name, home } = readAccount()
  const uid = process.getuid?.()
  if (uid !== undefined && home !== undefined) users.push({ name, uid, home })
  const userNames = new Map(users.toReversed().map((user) => [user.uid, user.name]))
  const groups = new Map<number, string>()
  for (const [name, , id] of await readTable('/etc/group')) {
    if (name !== undefined && id !== undefined && !groups.has(Number(id))) groups.set(Number(id), name)
  }
  return {
    userName: (id) => userNames.get(id),
    groupName: (id) => groups.get(id),
    user: (wanted) => users.find((user) => user.name === wanted),
  }
}

function tableReader({ readText }: FileCalls): (file: string) => Promise<string[][]> {
  return async (file) => {
    // Job's own files, perhaps of a container: there need not be any.
    const text = await readText(Buffer.from(file)).catch(() => '')
    return text
      .split('\n')
      .filter((line) => line.includes(':'))
      .map((line) => line.split(':'))
  }
}
