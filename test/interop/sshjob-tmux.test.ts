import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describeWith } from '../helpers/needs.js'
import { SSHJOB } from '../helpers/programs.js'
import { openScreen, type Screen } from '../helpers/screen.js'
import { type ServedJob, serveJob } from '../helpers/served-job.js'
import { answerAfterEnd, dial, exchange, serveSockets } from '../helpers/sockets.js'
import { temporaryDirectory } from '../helpers/temporary-directory.js'

const START = `'${process.execPath}' '${SSHJOB}'`

describeWith(['tmux', 'stty', 'pgrep'], 'sshjob, typed into a terminal', () => {
  const folder = temporaryDirectory()
  let job: ServedJob
  let screen: Screen
  /** Counts the marks, so that each is found once. */
  let marks = 0

  beforeEach(async () => {
    job = await serveJob(folder(), 'train', '--no-motd', '--shells', '/bin/sh')
    const command = "exec env PS1='local> ' ENV= sh"
    screen = openScreen({ folder: folder(), command, env: job.env })
    await local(`stty -g > '${settingsFile('before')}'`)
  })
  afterEach(async () => {
    screen.close()
    await job.stop()
  })

  const settingsFile = (name: string): string => join(folder(), name)

  /** Runs a line in the shell that has the screen, and waits until it is done. */
  async function local(line: string): Promise<void> {
    marks += 1
    screen.enter(`${line}; echo "status $? mark" ${marks}`)
    await screen.waitFor(new RegExp(`status \\d+ mark ${marks}$`, 'm'))
  }

  /** Starts a session, and waits for its shell. */
  async function enterJob(prefix = ''): Promise<void> {
    screen.enter(`${prefix} ${START} --env 'PS1=remote> ' train`)
    await screen.waitFor(/^remote>$/m)
  }

  async function expectSane(status: number): Promise<void> {
    marks += 1
    // What is typed before the shell has the terminal back is echoed twice, and the prompt stands in the middle.
    await screen.waitFor(/local>\s*$/)
    screen.enter(`echo status $? mark ${marks}; stty -g > '${settingsFile('after')}'; echo saved ${marks}`)
    await screen.waitFor(new RegExp(`^saved ${marks}$`, 'm'))
    expect(screen.text()).toMatch(new RegExp(`^status ${status} mark ${marks}$`, 'm'))
    expect(readFileSync(settingsFile('after'), 'utf8')).toBe(readFileSync(settingsFile('before'), 'utf8'))
  }

  /** The process of sshjob: the one whose parent is the shell on the screen. */
  /** The oldest: a child that it has just forked is called the same until its exec. */
  function sshjobPid(): number {
    const pid = execFileSync('pgrep', ['-o', '-f', `^${process.execPath} ${SSHJOB} .* train$`], {
      encoding: 'utf8',
    })
    return Number(pid)
  }

  it('is a terminal of the same size and kind, which follows when ours is resized', async () => {
    await enterJob()
    await local('stty size; echo "$TERM"')
    expect(screen.text()).toMatch(/^30 100\n(tmux|screen)/m)
    screen.resize(91, 27)
    await local('until [ "$(stty size)" = "27 91" ]; do sleep 0.1; done')
    screen.enter('exit 3')
    await screen.waitFor(/^Connection to job train closed\.$/m)
    await expectSane(3)
  })

  it('has the settings of ours, and hands every key and every byte on as it is', async () => {
    await local('stty intr ^X')
    await enterJob()
    screen.enter('stty -a | grep intr')
    await screen.waitFor(/^intr = \^X;/m)
    screen.enter('sleep 1000')
    screen.press('C-x')
    // A newline without a carriage return, as programs write it that move the cursor down.
    await local(`stty -opost; printf 'down\\nright\\r\\n'; stty opost`)
    expect(screen.text()).toMatch(/^(.*)down\n\1 {4}right$/m)
    screen.enter('exit')
    await screen.waitFor(/^Connection to job train closed\.$/m)
    await local('stty intr ^C')
    await expectSane(0)
  })

  it('knows the escapes, and ends at ~.', async () => {
    await enterJob()
    screen.type('~?')
    await screen.waitFor(/^ ~\. {3}- end the session\n.*suspend/m)
    screen.type('~#')
    await screen.waitFor(/~# This session is the only one/)
    screen.type('~R~v')
    await screen.waitFor(/~v \[verbosity 1 of 2\]/)
    await local('echo still "here"')
    screen.enter('exec cat')
    screen.enter('~~.')
    await screen.waitFor(/^~\.$/m)
    screen.type('~.')
    await screen.waitFor(/^~?\.?.*Connection to job train closed\.$/m)
    await expectSane(255)
  })

  it('has a command line for forwardings at ~C, with editing and a history', async () => {
    const { port } = await serveSockets(answerAfterEnd)
    await enterJob()
    screen.type('~C')
    await screen.waitFor(/^sshjob>$/m)
    screen.enter('help')
    await screen.waitFor(/^ {2}-KD \[BIND:\]PORT/m)
    // With a mistake that is mended: behind the cursor, and before it.
    screen.type(`~C-X 0:127.0.0.1:${port}`)
    screen.press('Home', 'Right', 'Right', 'BSpace')
    screen.type('L')
    screen.press('Enter')
    await screen.waitFor(/^sshjob: Listening on localhost:\d+\.$/m)
    const here = Number(/Listening on localhost:(\d+)/.exec(screen.text())?.[1])
    await screen.waitFor(new RegExp(`^Forwarding localhost:${here} to 127.0.0.1:${port} in the job$`, 'm'))
    expect((await exchange(await dial(here), 'abc')).toString()).toBe('got 3')
    const idle = await dial(here)
    screen.type('~#')
    await screen.waitFor(
      new RegExp(`localhost:${here} to 127.0.0.1:${port} in the job \\(1 connection\\)$`, 'm'),
    )
    idle.destroy()
    screen.type(`~C-KL${here}`)
    screen.press('Enter')
    await screen.waitFor(/^Forwarding ended\.$/m)
    await expect(dial(here)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    // The line before, once more.
    screen.type('~C')
    screen.press('Up', 'Enter')
    await screen.waitFor(/^sshjob: There is no such forwarding/m)
    screen.type('~C-L nonsense')
    screen.press('C-c')
    screen.type('~C-D')
    screen.press('Enter')
    await screen.waitFor(/^sshjob: -D takes \[BIND:\]PORT, not ''\./m)
    // The session has gone on, and has got none of that.
    await local('echo still "here"')
    expect(screen.text()).not.toContain('not found')
    screen.enter('exit')
    await screen.waitFor(/^Connection to job train closed\.$/m)
    await expectSane(0)
  })

  it('shows the progress of a copy in one line, and what fails above it', async () => {
    writeFileSync(settingsFile('big'), Buffer.alloc(20 * 1024 * 1024))
    const target = settingsFile('copied')
    // A folder has the name that the file would get.
    const failing = `'${settingsFile('failing')}'`
    mkdirSync(`${settingsFile('failing')}/big`, { recursive: true })
    await local(`${START} cp '${settingsFile('big')}' 'train:${target}'`)
    expect(screen.text()).toMatch(
      /^\[={20}\] 100% {2}20\.0 MiB of 20\.0 MiB {2}.*\/s {2}\S+ left {2}\/\S*\nstatus 0/m,
    )
    await local(`${START} cp '${settingsFile('big')}' train:${failing}`)
    expect(screen.text()).toMatch(/^sshjob: .*big is not\s+copied: [^[]*\n\[ {20}\] {3}0%/m)
    await expectSane(0)
  })

  it('is suspended with ~^Z and goes on with fg, at the new size', async () => {
    await enterJob()
    screen.enter('VARIABLE=kept')
    screen.press('Enter')
    screen.type('~')
    screen.press('C-z')
    await screen.waitFor(/\[suspend sshjob\]/)
    await local('stty -g > /dev/null')
    await expectSane(0)
    screen.resize(90, 25)
    screen.enter('fg')
    await screen.waitFor(/fg\n.*sshjob/)
    await local('echo "$VARIABLE"; until [ "$(stty size)" = "25 90" ]; do sleep 0.1; done')
    expect(screen.text()).toMatch(/^kept$/m)
    screen.enter('exit 4')
    await screen.waitFor(/^Connection to job train closed\.$/m)
    await expectSane(4)
  })

  it.each([
    ['SIGTERM', 143],
    ['SIGHUP', 129],
    ['SIGINT', 130],
    ['SIGQUIT', 131],
  ] as const)('restores the terminal when %s ends it', async (signal, status) => {
    await enterJob()
    process.kill(sshjobPid(), signal)
    await screen.waitFor(/local>$/)
    await expectSane(status)
  })

  it('has the terminal restored when it is killed', async () => {
    await enterJob()
    process.kill(sshjobPid(), 'SIGKILL')
    await screen.waitFor(/local>$/)
    await local('while stty -a | grep -q -e -opost; do sleep 0.1; done')
    await expectSane(0)
  })

  it('restores the terminal when it crashes, and says so in one sentence', async () => {
    const crash = 'process.once("SIGUSR2",()=>{throw(new(Error)("oh"))})'
    await enterJob(`NODE_OPTIONS='--import data:text/javascript,${encodeURIComponent(crash)}'`)
    process.kill(sshjobPid(), 'SIGUSR2')
    await screen.waitFor(/sshjob: Something unexpected went wrong: oh \(run again with -vv for more\)$/m)
    await expectSane(255)
  })

  it('restores the terminal when the connection is lost', async () => {
    await enterJob()
    job.server.kill('SIGKILL')
    await screen.waitFor(/sshjob: .+\.$/m)
    await expectSane(255)
  })
})
