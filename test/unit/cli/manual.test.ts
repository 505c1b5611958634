import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { OptionSpec } from '../../../src/cli/arguments/options.js'
import { COMMANDS } from '../../../src/cli/commands.js'
import { helpText } from '../../../src/cli/manual/help-text.js'
import { columns, wrap } from '../../../src/cli/manual/layout.js'
import { manPage } from '../../../src/cli/manual/man-page.js'
import type { Manual } from '../../../src/cli/manual/manual.js'
import { manPages } from '../../../src/cli/manual/pages.js'
import { describeWith } from '../../helpers/needs.js'
import { runProgram, SSHJOB, SSHJOB_KEYGEN, SSHJOB_SERVER } from '../../helpers/programs.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

const CALLS: readonly (readonly [
  program: string,
  args: readonly string[],
  manual: () => Promise<{ manual: Manual }>,
])[] = [
  [SSHJOB, [], () => import('../../../src/cli/manual/session.js')],
  [SSHJOB_SERVER, [], () => import('../../../src/cli/manual/server.js')],
  [SSHJOB_KEYGEN, [], () => import('../../../src/cli/manual/keygen.js')],
  ...COMMANDS.map(({ name, manual }) => [SSHJOB, [name], manual] as const),
]

describe('--help', () => {
  it.each(CALLS)('of %s %j fits 80 columns, is ASCII, and has every option', async (program, args, load) => {
    const env = { PATH: process.env.PATH, LC_ALL: 'C' }
    const { stdout, stderr, exitCode } = await runProgram(program, [...args, '--help'], { env })
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 })
    expect(stdout).toMatch(/^Usage: sshjob/)
    expect(stdout.split('\n').filter((line) => line.length > 80 || /[^ -~]/.test(line))).toEqual([])
    const { manual } = await load()
    for (const name of Object.keys(manual.options)) expect(stdout).toContain(`--${name}`)
    expect((await runProgram(program, [...args, '-h'], { env })).stdout).toBe(stdout)
  })

  it('names every command that there is', async () => {
    const source = readFileSync('src/cli/sshjob.ts', 'utf8')
    const known = [...source.matchAll(/case '([a-z-]+)':/g)].map(([, name]) => name)
    expect(COMMANDS.map(({ name }) => name).sort()).toEqual(known.sort())
  })

  it('says what an option is for in a fragment of a sentence, which is ASCII', async () => {
    for (const [, , load] of CALLS) {
      const { options } = (await load()).manual
      for (const { help } of Object.values<OptionSpec>(options)) {
        expect(help).toMatch(/^[ -~]+[^.]$/)
        expect(help).toMatch(/^([a-z]|SOCKS|HTCondor)/)
      }
    }
  })
})

describe('two columns', () => {
  it('are wrapped, and a first one that is long has a line of its own', () => {
    const long = 'words '.repeat(20)
    expect(
      columns([
        ['  -a', long],
        [`  --${'long-'.repeat(8)}x`, 'below'],
      ]),
    ).toBe(
      `  -a  ${'words '.repeat(12).trimEnd()}\n      ${'words '.repeat(8).trimEnd()}\n  --${'long-'.repeat(8)}x\n      below`,
    )
  })

  it('a word that is longer than a line stays whole', () => {
    expect(wrap(`a ${'x'.repeat(90)} b`)).toEqual(['a', 'x'.repeat(90), 'b'])
    expect(wrap('  ')).toEqual([])
  })
})

describe('the man pages', () => {
  const folder = temporaryDirectory()
  const DATE = new Date('2026-01-31T23:00:00Z')

  it('are those of the build, but for their date', async () => {
    for (const [file, text] of await manPages(DATE)) {
      const built = readFileSync(join('dist/man', file), 'utf8')
      expect(built.replace(/^\.Dd .*/, '')).toBe(text.replace(/^\.Dd .*/, ''))
      expect(text).toMatch(/^\.Dd January 31, 2026\n\.Dt SSHJOB/)
    }
  })

  it('are named by package.json, so that npm links them', async () => {
    const { man } = JSON.parse(readFileSync('package.json', 'utf8'))
    expect(man.sort()).toEqual([...(await manPages(DATE)).keys()].map((file) => `./dist/man/${file}`).sort())
  })

  it('say what stands in the manual, whatever means something to roff(7)', () => {
    const program: Manual = {
      name: 'x',
      summary: "a program of '.dots'",
      calls: ['-a .b'],
      description: [".job is 'it' \\n ~/x `y` ^Z - A.", '...'],
      options: { odd: { value: 'A B', optional: true, help: '.rc' } },
      operands: [],
      examples: [['.x ~', "'a'"]],
    }
    const page = manPage({ program, seeAlso: ['y 1', 'z 8'] }, DATE)
    expect(page.split('\n').filter((line) => /^'|^\.(?![A-Z][a-z]( |$))/.test(line))).toEqual([])
    expect(page).toContain('\\&.job is \\(aqit\\(aq \\en \\(ti/x \\(gay\\(ga \\(haZ \\- A.\n')
    expect(page).toContain('.It Fl \\-odd Ns Op Ns = Ns Ar A\\~B\n\\&.rc.\n')
    expect(page).toContain('.Xr y 1 ,\n.Xr z 8\n')
    expect(helpText(program)).toContain('Usage: x -a .b\n\n')
  })

  describeWith(['mandoc'], 'in the eyes of mandoc', () => {
    it('are without a fault', async () => {
      const pages = ['sshjob.1', 'sshjob-server.1', 'sshjob-keygen.1'].map((file) => join('dist/man', file))
      const { stdout, stderr } = await runProgram('mandoc', ['-Tlint', ...pages])
      // What else is installed here is no matter of the pages.
      const faults = `${stdout}${stderr}`
        .split('\n')
        .filter((line) => !/^$|referenced manual not found|mandoc\.db/.test(line))
      expect(faults).toEqual([])
    })
  })

  describeWith(['man'], 'shown by man', () => {
    it.each(['sshjob', 'sshjob-server', 'sshjob-keygen'])(
      '%s(1) is found by its name, and has every option as it is typed',
      async (name) => {
        // As npm links it: below a prefix whose man pages man(1) looks for.
        mkdirSync(join(folder(), 'share/man/man1'), { recursive: true })
        writeFileSync(join(folder(), `share/man/man1/${name}.1`), readFileSync(`dist/man/${name}.1`))
        const env = {
          PATH: process.env.PATH,
          MANPATH: join(folder(), 'share/man'),
          MANWIDTH: '80',
          LC_ALL: 'C',
          HOME: folder(),
        }
        const { stdout, stderr, exitCode } = await runProgram('man', ['--warnings=all', name], { env })
        expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 })
        const help = await runProgram(
          { sshjob: SSHJOB, 'sshjob-server': SSHJOB_SERVER, 'sshjob-keygen': SSHJOB_KEYGEN }[name] ?? '',
          ['--help'],
        )
        const options = [...help.stdout.matchAll(/^ {2}(?:-\w, | {4})(--[\w-]+)/gm)].map(
          ([, option]) => option,
        )
        expect(options.length).toBeGreaterThan(5)
        for (const option of options) expect(stdout).toMatch(new RegExp(`^ +(-\\w, )?${option}`, 'm'))
        expect(stdout.split('\n').filter((line) => line.length > 80 || /[^ -~]/.test(line))).toEqual([])
      },
    )
  })
})
