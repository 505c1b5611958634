import { readFile } from 'node:fs/promises'
import { readAccount } from '../../job/account.js'

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
export async function readAccounts(): Promise<Accounts> {
  const users = new Map<number, NamedAccount>()
  for (const [name, , id, , , home] of await readTable('/etc/passwd')) {
    if (name !== undefined && id !== undefined && !users.has(Number(id)))
      users.set(Number(id), { name, home: home ?? '/' })
  }
  const own = readAccount()
  const uid = process.getuid?.()
  if (uid !== undefined && own.home !== undefined && !users.has(uid)) {
    users.set(uid, { name: own.name, home: own.home })
  }
  const groups = new Map<number, string>()
  for (const [name, , id] of await readTable('/etc/group')) {
    if (name !== undefined && id !== undefined && !groups.has(Number(id))) groups.set(Number(id), name)
  }
  return {
    userName: (id) => users.get(id)?.name,
    groupName: (id) => groups.get(id),
    user: (name) => [...users.values()].find((user) => user.name === name),
  }
}

async function readTable(file: string): Promise<string[][]> {
  // Job's own files, perhaps of a container: there need not be any.
  const text = await readFile(file, 'latin1').catch(() => '')
  return text
    .split('\n')
    .filter((line) => line.includes(':'))
    .map((line) => line.split(':'))
}
