import { printable, printableJson } from '../../../src/core/printable.js'

describe('text of others', () => {
  it.each([
    ['\u001b[2Jgone', '?[2Jgone'],
    ['\u009b2J one byte of it', '?2J one byte of it'],
    ['\u007f\u0000\u0085', '???'],
    ['exe.\u202efdp', 'exe.?fdp'],
    ['\u2066\u2067\u2068\u2069\u200e\u200f\u061c', '???????'],
    ['two\u2028lines\u2029', 'two?lines?'],
    ['tra\u200bin\u{e0041}\ufeff', 'tra?in??'],
    ['a\r\n\tb\nc', 'a b c'],
    ['Zoë 文件 👩‍🚀 می‌خواهم', 'Zoë 文件 👩‍🚀 می‌خواهم'],
  ])('%j is shown as %j', (text, shown) => {
    expect(printable(text)).toBe(shown)
  })

  it('stays what it is in JSON, and drives no terminal there either', () => {
    const value = { name: 'a\u001b[2J\u009b2J\u007f\u202eb\u2028\nc\u{e0041}', list: ['Zoë'] }
    const json = printableJson(JSON.stringify(value, null, 2))
    expect(JSON.parse(json)).toEqual(value)
    expect(json).not.toMatch(/(?!\n)[\p{Cc}\u2028\u202e]/u)
    expect(json).toContain('\\u009b2J\\u007f\\u202eb\\u2028\\nc')
    expect(json).toContain('Zoë')
  })
})
