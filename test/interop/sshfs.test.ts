import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describeClient, SSHFS } from '../helpers/clients.js'
import { HOST, sshOf } from '../helpers/openssh.js'
import { type ProgramResult, runProgram, startProgram } from '../helpers/programs.js'
import { starterSuite } from '../helpers/starter.js'

const MAKEFILE = `program: main.o other.o
\tcc -o $@ $^
%.o: %.c shared.h
\tcc -c -o $@ $<
`

describeClient(SSHFS, 'a mounted folder', () => {
  const { user, start } = starterSuite()
  const ssh = sshOf(user)
  let there: string
  let mounted: string

  beforeEach(async () => {
    there = mkdtempSync(join(user().folder, 'there-'))
    mounted = mkdtempSync(join(user().folder, 'mounted-'))
    await start({ cwd: there })
    // In the foreground, so that it does not outlive the test.
    startProgram('sshfs', [...ssh.args(), '-f', `${HOST}:`, mounted], { env: user().env })
    while (!isMounted()) await delay(20)
  })
  // Also after a failure: the folder can't be removed while something is mounted on it. -z takes it away at once.
  afterEach(async () => {
    if (isMounted()) await runProgram('fusermount3', ['-u', '-z', mounted], { env: user().env })
    expect(isMounted()).toBe(false)
  })

  const isMounted = (): boolean => readFileSync('/proc/self/mountinfo', 'utf8').includes(` ${mounted} `)
  const run = (script: string): Promise<ProgramResult> =>
    runProgram('sh', ['-ec', script], { env: user().env, cwd: mounted })

  it('builds a program with make in it, and anew after a change', async () => {
    writeFileSync(join(mounted, 'Makefile'), MAKEFILE)
    writeFileSync(join(mounted, 'shared.h'), 'const char *answer(void);\n')
    writeFileSync(
      join(mounted, 'main.c'),
      '#include <stdio.h>\n#include "shared.h"\nint main(void) { return puts(answer()) < 0; }\n',
    )
    writeFileSync(
      join(mounted, 'other.c'),
      '#include "shared.h"\nconst char *answer(void) { return "built"; }\n',
    )
    expect(await run('make -s; ./program')).toMatchObject({ exitCode: 0, stdout: 'built\n' })
    // SFTP version 3 has times in whole seconds: what is made in the same one as its source counts as up to date.
    const changed = 'touch -d "1 hour ago" *; sed -i s/built/again/ other.c; make -s; ./program'
    expect(await run(changed)).toMatchObject({ exitCode: 0, stdout: 'again\n' })
    expect(readFileSync(join(there, 'other.c'), 'utf8')).toContain('"again"')
  })

  it('holds a clone of a git repository, and is cloned from', async () => {
    const source = join(user().folder, 'source')
    mkdirSync(source)
    const script = `export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
      git() { command git -c user.name=n -c user.email=e@example.org -c init.defaultBranch=main "$@"; }
      git init -q ${source}; seq 1 20000 > ${source}/numbers
      git -C ${source} add numbers; git -C ${source} commit -q -m one
      git clone -q --no-local ${source} copy; git -C copy fsck --no-progress; git -C copy status --short
      echo more >> copy/numbers; git -C copy commit -q -a -m two
      git clone -q --no-local copy ${source}-2; git -C ${source}-2 log --format=%s; tail -1 ${source}-2/numbers`
    expect(await run(script)).toEqual({ exitCode: 0, signal: null, stdout: 'two\none\nmore\n', stderr: '' })
  })

  it('has the names, links, modes and times of the job', async () => {
    writeFileSync(join(there, 'a file'), 'content')
    const script = `ln -s 'a file' link; cat link; mv 'a file' moved; chmod 640 moved
      touch -d '2001-02-03 04:05:06' moved; stat -c '%a %Y' moved; ls; rm link moved; mkdir d; rmdir d; ls`
    const result = await run(`export TZ=UTC; ${script}`)
    expect(result).toMatchObject({ exitCode: 0, stdout: 'content640 981173106\nlink\nmoved\n', stderr: '' })
  })
})
