import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { forBash, splitBashWords } from '../../../../src/cli/completion/bash.js'
import { describeWith } from '../../../helpers/needs.js'

describe('the words of a line of bash', () => {
  it.each<[string, string[], '"' | "'" | undefined]>([
    ['sshjob ', ['sshjob', ''], undefined],
    ['sshjob  cp\ttrain:a', ['sshjob', 'cp', 'train:a'], undefined],
    ['sshjob my\\ file', ['sshjob', 'my file'], undefined],
    ['sshjob "my f', ['sshjob', 'my f'], '"'],
    ["sshjob 'my \\f", ['sshjob', 'my \\f'], "'"],
    ['sshjob "a\\"b\\n" ', ['sshjob', 'a"b\\n', ''], undefined],
    ["sshjob it\\'s'a b'c", ['sshjob', "it'sa bc"], undefined],
    ["sshjob '' ", ['sshjob', '', ''], undefined],
    ['sshjob $HOME/x', ['sshjob', '$HOME/x'], undefined],
    ['sshjob a\\', ['sshjob', 'a'], undefined],
  ])('%j are %j', (line, words, quote) => {
    expect(splitBashWords(line)).toEqual({ words, last: { value: words.at(-1), quote } })
  })
})

const words = (...values: string[]) => ({
  kind: 'words' as const,
  candidates: values.map((value) => ({ value })),
})

describe('what bash is given', () => {
  it.each<[string[], string, string, string]>([
    [['train:my file'], 'sshjob cp train:m', 'm', 'words\nmy\\ file\n'],
    [['train:my dir/'], 'sshjob cp train:my\\ d', 'my\\ d', 'unfinished\nmy\\ dir/\n'],
    [['train:my file'], 'sshjob cp "train:my f', 'train:my f', 'words\ntrain:my file\n'],
    [['train:$a"b'], 'sshjob cp "train:', 'train:', 'words\ntrain:\\$a\\"b\n'],
    [["train:it's"], "sshjob cp 'train:", 'train:', "words\ntrain:it'\\''s\n"],
    [['train:my dir/'], 'sshjob cp "train:my', 'train:my', 'several\ntrain:my dir/\ntrain:my dir/ \n'],
    [['train:a b', 'train:a c/'], 'sshjob cp train:', '', 'several\na b\na c\n'],
    [['train:a'], 'sshjob cp "train":', '', 'words\na\n'],
    [['--log-level=info'], 'sshjob-server --log-level=i', 'i', 'words\ninfo\n'],
    [['train:'], 'sshjob cp tr', 'tr', 'unfinished\ntrain:\n'],
    [[], 'sshjob cp x', 'x', 'words\n'],
  ])('%j behind %j', (values, line, replaced, given) => {
    expect(forBash(words(...values), line, replaced)).toBe(given)
  })

  it('is the kind alone where bash finds the words', () => {
    expect(forBash({ kind: 'files' }, 'sshjob-server --motd ', '')).toBe('files\n')
  })
})

describeWith(['bash'], 'a name in the command line of bash', () => {
  it.each(['', '"', "'"])('is itself again, whatever is in it, behind the quote %j', (quote) => {
    // Neither line ends nor zero bytes: they are not offered.
    const name = fc
      .string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 12 })
      .filter((text) => !/[/:=]$/.test(text))
    const names = fc.sample(name, { numRuns: 300, seed: 7 })
    const quoted = names.map((text) => {
      const [, word = ''] = forBash(
        words(`j:${text}`),
        `sshjob cp ${quote}j:`,
        quote === '' ? '' : 'j:',
      ).split('\n')
      return `${quote}${quote === '' ? 'j:' : ''}${word}${quote}`
    })
    const output = execFileSync('bash', ['-c', `printf '%s\\n' ${quoted.join(' ')}`], {
      encoding: 'utf8',
    })
    const expected = names.map((text) => `j:${text}`)
    expect(output.slice(0, -1).split('\n')).toEqual(expected)
    expect(quoted.map((word) => splitBashWords(`x ${word}`).words[1])).toEqual(expected)
  })
})
