import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { describeWith } from '../helpers/needs.js'
import { serverOf } from '../helpers/processes.js'
import { runProgram, SSHJOB, SSHJOB_KEYGEN, SSHJOB_SERVER } from '../helpers/programs.js'
import { openScreen, type Screen } from '../helpers/screen.js'
import { starterSuite } from '../helpers/starter.js'

/** How each shell is started as in an empty home, with what `sshjob completion` says of its installation. */
const SHELLS: Readonly<Record<string, { install: string; start: string; prompt: string }>> = {
  bash: {
    install: 'sshjob completion bash >> ~/.bashrc',
    start: 'bash -i',
    prompt: "echo \"PS1='ready> '; bind 'set bell-style none'\" >> ~/.bashrc",
  },
  zsh: {
    install: 'sshjob completion zsh >> ~/.zshrc',
    start: 'zsh -i',
    // Above: a .zshrc is there, or zsh asks what to write into it. Files of others in its folders, too: -u.
    prompt: 'echo "PS1=\'ready> \'; unsetopt beep; autoload -Uz compinit; compinit -u" > ~/.zshrc',
  },
  fish: {
    install: 'sshjob completion fish > ~/.config/fish/conf.d/sshjob.fish',
    start: 'fish -i',
    prompt:
      'echo \'function fish_prompt; echo -n "ready> "; end; set fish_greeting\' > ~/.config/fish/config.fish',
  },
}

/** What is typed before the key, and what it becomes. */
const LINES: readonly (readonly [typed: string, line: string])[] = [
  ['sshjob tra', 'sshjob train'],
  ['sshjob htc', 'sshjob htcondor'],
  ['sshjob htcondor inst', 'sshjob htcondor install'],
  ['sshjob cp tr', 'sshjob cp train:'],
  ['sshjob cp loc', 'sshjob cp local.txt'],
  ['sshjob cp ./loc', 'sshjob cp ./local.txt'],
  ['sshjob cp train:pl', 'sshjob cp train:plain.txt'],
  ['sshjob cp train:m', 'sshjob cp train:my\\ dir/'],
  ['sshjob cp "train:m', 'sshjob cp "train:my dir/'],
  ['sshjob cp train:my\\ dir/two\\ ', 'sshjob cp train:my\\ dir/two\\ words'],
  ['sshjob cp train:lin', 'sshjob cp train:link/'],
  ['sshjob cp train:i', "sshjob cp train:it\\'s"],
  ['sshjob cp -p train:\\$', 'sshjob cp -p train:\\$odd\\;name'],
  ['sshjob --local', 'sshjob --local-forward'],
  ['sshjob-server --log-level de', 'sshjob-server --log-level debug'],
  ['sshjob-server --log-level=de', 'sshjob-server --log-level=debug'],
  ['sshjob-server --motd loc', 'sshjob-server --motd local.txt'],
  ['sshjob-server --motd=loc', 'sshjob-server --motd=local.txt'],
  ['sshjob-server -- mktem', 'sshjob-server -- mktemp'],
  ['sshjob-keygen --fing', 'sshjob-keygen --fingerprint'],
]

describe.each(Object.entries(SHELLS))('completion in %s', (shell, { install, start, prompt }) => {
  describeWith([shell, 'tmux'], shell, () => {
    const suite = starterSuite()
    let screen: Screen

    beforeAll(async () => {
      const { folder } = suite.user()
      for (const path of ['bin', 'work', 'work/my dir', 'work/elsewhere', 'home/.config/fish/conf.d'])
        mkdirSync(join(folder, path), { recursive: true })
      for (const [name, program] of Object.entries({
        sshjob: SSHJOB,
        'sshjob-server': SSHJOB_SERVER,
        'sshjob-keygen': SSHJOB_KEYGEN,
      })) {
        writeFileSync(
          join(folder, 'bin', name),
          `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`,
          { mode: 0o755 },
        )
      }
      for (const name of ['my dir/two words', 'my dir/two:colons', 'plain.txt', '$odd;name', "it's"])
        writeFileSync(join(folder, 'work', name), '')
      symlinkSync('my dir', join(folder, 'work/link'))
      writeFileSync(join(folder, 'work/elsewhere/local.txt'), '')
      const set = await runProgram('sh', ['-c', `${prompt}; ${install}`], { env: env() })
      expect(set).toMatchObject({ exitCode: 0, stderr: '' })
    })

    beforeEach(async () => {
      const { folder } = suite.user()
      // The job has another folder than we have: what is completed is there.
      await suite.start({ id: 'train', cwd: join(folder, 'work') })
      screen = openScreen({ folder, command: `cd '${folder}/work/elsewhere' && ${start}`, env: env() })
      await screen.waitFor(/^ready>$/m)
    })
    afterEach(() => screen.close())

    const env = (): NodeJS.ProcessEnv => {
      const { folder, env: own } = suite.user()
      return { ...own, PATH: `${join(folder, 'bin')}:${own.PATH}`, TERM: 'screen' }
    }

    it('knows commands, jobs, options, values, and files in the job, escaped', async () => {
      for (const [typed, line] of LINES) {
        screen.type(typed)
        screen.press('Tab')
        await screen.waitFor(new RegExp(`^ready> ${line.replace(/[$\\.[\]]/g, '\\$&')}( |$)`, 'm'))
        screen.press('C-c')
        await screen.waitFor(/\nready>$/)
      }
    }, 60_000)

    it('shows what there is where there is more than one', async () => {
      screen.type('sshjob cp train:my\\ dir/')
      screen.press('Tab')
      await screen.waitFor(/^ready> sshjob cp train:my\\ dir\/two/m)
      // The first puts down what they have in common; how many more list them, each shell has its own mind about.
      for (let tabs = 0; tabs < 2 && !/two words/.test(screen.text()); tabs++) {
        screen.press('Tab')
        await setTimeout(500)
      }
      await screen.waitFor(/two words/)
      await screen.waitFor(/two:colons/)
    })

    it('says nothing where there is nothing', async () => {
      screen.type('sshjob cp nosuchjob:x')
      screen.press('Tab')
      // What is typed afterwards stands where it was.
      screen.type('yz')
      await screen.waitFor(/^ready> sshjob cp nosuchjob:xyz$/m)
      expect(screen.text().trim().split('\n')).toHaveLength(1)
    })
  })
})

describe('completion', () => {
  const { user, start } = starterSuite()

  it('waits for no starter that does not answer: what has answered is there', async () => {
    const silent = await start({ id: 'silent' })
    await start({ id: 'second' })
    process.kill(serverOf(silent.pid), 'SIGSTOP')
    try {
      const { stdout, stderr, exitCode } = await runProgram(SSHJOB, ['completion', '--zsh', 'sshjob', 's'], {
        env: user().env,
      })
      expect([exitCode, stderr]).toEqual([0, ''])
      expect(stdout).toBe("words\nssh-config\twhat ~/.ssh/config needs for 'ssh JOB.job'\nsecond\tcat\n")
      const files = await runProgram(SSHJOB, ['completion', '--zsh', 'sshjob', 'cp', 'silent:'], {
        env: user().env,
      })
      expect(files).toMatchObject({ exitCode: 0, stdout: '', stderr: '' })
    } finally {
      process.kill(serverOf(silent.pid), 'SIGCONT')
    }
  })

  it('is for shells that there is a script for', async () => {
    expect(await runProgram(SSHJOB, ['completion', 'csh'])).toMatchObject({
      exitCode: 255,
      stderr:
        "sshjob: 'sshjob completion' takes the name of a shell: bash, zsh, fish. Run 'sshjob completion --help' for the options.\n",
    })
  })
})
