import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describeClient, EMACS, VIM } from '../helpers/clients.js'
import { findProgram } from '../helpers/needs.js'
import { HOST, quoteWords, writeSshConfig } from '../helpers/openssh.js'
import { type ProgramResult, runProgram } from '../helpers/programs.js'
import { JOB, starterSuite } from '../helpers/starter.js'

/** An editor that uses ssh and scp by itself. Both read their configuration from the account's home, not from HOME. */
function suite(): { folder: () => string; run: (program: string, args: string[]) => Promise<ProgramResult> } {
  const { user, start } = starterSuite()
  beforeAll(async () => {
    const config = await writeSshConfig(user())
    const programs = join(user().folder, 'bin')
    mkdirSync(programs)
    for (const name of ['ssh', 'scp', 'sftp']) {
      const command = quoteWords([findProgram(name) ?? name, '-F', config])
      writeFileSync(join(programs, name), `#!/bin/sh\nexec ${command} "$@"\n`, { mode: 0o755 })
    }
  })
  beforeEach(async () => {
    await start({ cwd: user().folder })
    writeFileSync(join(user().folder, 'notes'), 'one\ntwo\n')
  })
  return {
    folder: () => user().folder,
    run(program, args) {
      const { env, folder } = user()
      const path = `${join(folder, 'bin')}:${env.PATH}`
      return runProgram(program, args, { env: { ...env, PATH: path }, cwd: join(folder, 'home') })
    },
  }
}

describeClient(VIM, 'files', () => {
  const { folder, run } = suite()
  const vim = (...commands: string[]): Promise<ProgramResult> =>
    run('vim', [
      ...['-u', 'NONE', '-N', '-es', '-c', 'runtime! plugin/netrwPlugin.vim'],
      ...[...commands, 'qa!'].flatMap((command) => ['-c', command]),
    ])

  it('edits and writes a file by scp://, by its name and its full path, and lists a folder', async () => {
    const listed = join(folder(), 'listed')
    await vim(`edit scp://${HOST}/notes`, '%s/two/three/', 'write', `edit scp://${HOST}/`, `write ${listed}`)
    await vim(`edit scp://${HOST}/${folder()}/notes`, '%s/one/four/', 'write')
    expect(readFileSync(join(folder(), 'notes'), 'utf8')).toBe('four\nthree\n')
    expect(readFileSync(listed, 'utf8')).toMatch(/^notes$/m)
  })
})

describeClient(EMACS, 'files and programs', () => {
  const { folder, run } = suite()

  it('edits and lists, copies a large file both ways, and runs a command', async () => {
    const data = randomBytes(500_000)
    writeFileSync(join(folder(), 'large'), data)
    const script = join(folder(), 'script.el')
    writeFileSync(
      script,
      `(let ((there "/ssh:${HOST}:${folder()}/") (here "${folder()}/home/"))
  (with-current-buffer (find-file-noselect (concat there "notes"))
    (goto-char (point-max)) (insert "three\\n") (let ((make-backup-files nil)) (save-buffer)))
  (copy-file (concat there "large") (concat here "large"))
  (copy-file (concat here "large") (concat there "back"))
  (copy-file "/scp:${HOST}:${folder()}/large" (concat here "by-scp"))
  (let ((default-directory there))
    (princ (format "%s%S %S" (shell-command-to-string "echo $SSHJOB_JOB_ID; pwd")
      (process-file "sh" nil nil nil "-c" "exit 7") (directory-files there nil "^[bn]")))))
`,
    )
    const result = await run('emacs', ['-Q', '--batch', '-l', 'tramp', '-l', script])
    expect(result).toMatchObject({ exitCode: 0, stdout: `${JOB}\n${folder()}\n7 ("back" "bin" "notes")` })
    expect(readFileSync(join(folder(), 'notes'), 'utf8')).toBe('one\ntwo\nthree\n')
    for (const copy of ['home/large', 'home/by-scp', 'back']) {
      expect(readFileSync(join(folder(), copy)).equals(data)).toBe(true)
    }
  })
})
