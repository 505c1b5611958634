import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runProgram, SSHJOB_SERVER } from '../helpers/programs.js'
import { publicCalls, publicObjects } from '../helpers/public-calls.js'
import { sessionPair } from '../helpers/session-pair.js'
import { starterSuite } from '../helpers/starter.js'
import { temporaryDirectory } from '../helpers/temporary-directory.js'

const PAGE = readFileSync('docs/library.md', 'utf8')
/** A heading, and below it an example with what it prints. */
const EXAMPLE = /^```js\n(?<code>.*?)^```\n\n```text\n(?<output>.*?)^```$/gms

const examples = [...PAGE.matchAll(EXAMPLE)].map(({ groups, index }) => ({
  title: /### ([^\n]*)\n(?!.*^### )/ms.exec(PAGE.slice(0, index))?.[1] ?? '',
  code: groups?.code ?? '',
  output: groups?.output ?? '',
}))

describe('docs/library.md', () => {
  const { user, start } = starterSuite()
  const directory = temporaryDirectory()
  const at = (...names: string[]): string => join(directory(), ...names)

  beforeAll(() => {
    for (const name of ['bin', 'node_modules']) mkdirSync(at(name))
    symlinkSync(process.cwd(), at('node_modules/sshjob'))
    symlinkSync(SSHJOB_SERVER, at('bin/sshjob-server'))
  })

  it('has an example of every call, which is run', async () => {
    const pair = await sessionPair()
    const calls = publicCalls(await publicObjects(pair))
    await pair.close()
    const code = examples.map((example) => example.code).join('')
    const missing = calls.filter((call) => {
      const [owner, method] = call.split('.')
      return !new RegExp(method === undefined ? `(?<![.\\w])${owner}\\(` : `\\.${method}\\(`).test(code)
    })
    expect(missing).toEqual([])
    expect(PAGE.match(/^```js$/gm)).toHaveLength(examples.length)
  })

  it.each(examples.map((example, number) => ({ ...example, number })))(
    'has an example that does what it says: $title',
    async ({ number, code, output }) => {
      const [job, here] = [at(`job-${number}`), at(`here-${number}`)]
      for (const folder of [job, here]) mkdirSync(folder)
      writeFileSync(join(job, 'train.log'), 'epoch 1\nepoch 2\n')
      await start({ id: 'train', cwd: job, env: { DATASET: 'CIFAR-10' } })
      const file = join(here, 'example.mjs')
      writeFileSync(file, code)
      const env = { ...user().env, PATH: `${at('bin')}:${process.env.PATH}` }
      const result = await runProgram(file, [], { cwd: here, env })
      expect(result).toEqual({ exitCode: 0, signal: null, stdout: output, stderr: '' })
    },
  )
})
