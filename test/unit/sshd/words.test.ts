import { splitKeyword, splitWords } from '../../../src/sshd/words.js'

describe('a line of a configuration', () => {
  it.each<[string, string[] | undefined]>([
    ['a b  c', ['a', 'b', 'c']],
    ['\ta\t', ['a']],
    ['', []],
    ['a # b', ['a']],
    ['a#b', ['a#b']],
    ['"a b" c', ['a b', 'c']],
    ["'a b'", ['a b']],
    ['"a \'b\'"', ["a 'b'"]],
    ['a\\ b', ['a b']],
    ['"a \\"b\\""', ['a "b"']],
    ['FOO="a b"', ['FOO=a b']],
    ['""', ['']],
    ['"# a"', ['# a']],
    ['"a', undefined],
    ["a 'b", undefined],
    ['a\\\\b', ['a\\b']],
    ['C:\\dir', ['C:\\dir']],
  ])('%j has these words', (line, words) => {
    expect(splitWords(line)).toEqual(words)
  })

  it.each<[string, { keyword: string; rest: string } | undefined]>([
    ['Port 22', { keyword: 'Port', rest: '22' }],
    ['  Port\t22  ', { keyword: 'Port', rest: '22' }],
    ['Port=22', { keyword: 'Port', rest: '22' }],
    ['Port = 22', { keyword: 'Port', rest: '22' }],
    ['SetEnv A=b', { keyword: 'SetEnv', rest: 'A=b' }],
    ['SetEnv=A=b', { keyword: 'SetEnv', rest: 'A=b' }],
    ['ForceCommand a = b', { keyword: 'ForceCommand', rest: 'a = b' }],
    ['"Port" 22', { keyword: 'Port', rest: '22' }],
    ['Include', { keyword: 'Include', rest: '' }],
    ['# Port 22', undefined],
    ['   ', undefined],
    ['\r', undefined],
  ])('%j has this keyword', (line, split) => {
    expect(splitKeyword(line)).toEqual(split)
  })
})
