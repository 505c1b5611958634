import { COMMANDS } from '../commands.js'
import { manual as keygen } from './keygen.js'
import { type ManualPage, manPage } from './man-page.js'
import { manual as server } from './server.js'
import { manual as session } from './session.js'

/** The man pages by their files, 'sshjob.1'. */
export async function manPages(date: Date): Promise<Map<string, string>> {
  const commands = await Promise.all(COMMANDS.map(async (command) => (await command.manual()).manual))
  const pages: ManualPage[] = [
    {
      program: session,
      commands,
      seeAlso: ['scp 1', 'ssh 1', 'sshjob-keygen 1', 'sshjob-server 1', 'ssh_config 5'],
    },
    { program: server, seeAlso: ['sshjob 1', 'sshd_config 5', 'sshd 8'] },
    { program: keygen, seeAlso: ['ssh-keygen 1', 'sshjob 1'] },
  ]
  return new Map(pages.map((page) => [`${page.program.name}.1`, manPage(page, date)]))
}
