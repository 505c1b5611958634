import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { KEYWORDS } from '../../../src/sshd/keywords.js'

const FILE = join(__dirname, '../../../docs/sshd.md')
const MARKED = /(?<=<!-- keywords -->\n)[\s\S]*?(?=<!-- \/keywords -->)/

function makeTable(): string {
  const rows = KEYWORDS.map(({ name, treatment, note }) => `| \`${name}\` | ${treatment} | ${note} |\n`)
  return `| keyword | | |\n| --- | --- | --- |\n${rows.join('')}`
}

describe('the keywords of sshd_config', () => {
  it('are in the manual as the program has them (SSHJOB_UPDATE_DOCS=1 writes them there)', () => {
    const text = readFileSync(FILE, 'utf8')
    if (process.env.SSHJOB_UPDATE_DOCS === '1')
      writeFileSync(
        FILE,
        text.replace(MARKED, () => makeTable()),
      )
    expect(MARKED.exec(readFileSync(FILE, 'utf8'))?.[0]).toBe(makeTable())
  })

  it('are each there once, in the order of the alphabet', () => {
    const names = KEYWORDS.map(({ name }) => name.toLowerCase())
    expect(new Set(names).size).toBe(names.length)
    expect(names).toEqual([...names].sort())
  })

  it('say why, where they are not honoured', () => {
    expect(KEYWORDS.filter(({ treatment, note }) => treatment !== 'honoured' && note === '')).toEqual([])
  })

  it('are refused with a value that is not the harmless one, and no preset is refused', () => {
    for (const { name, treatment, only = [], default: preset } of KEYWORDS) {
      if (treatment === 'refused' && preset !== undefined)
        expect([name, only]).toEqual([name, expect.arrayContaining([preset])])
      if (treatment !== 'refused') expect([name, only]).toEqual([name, []])
    }
  })
})
