import { readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { describeUnexpected, messageOf, SshjobError } from '../../../src/core/errors.js'
import { kernelSentence, sentenceOfCode, systemCode } from '../../../src/core/system-error.js'

function thrown(act: () => unknown): unknown {
  try {
    act()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

describe('a system error', () => {
  const missing = thrown(() => readFileSync('/no/such/file'))

  it('is said in the words of the kernel, with the code behind them', () => {
    expect(messageOf(missing)).toBe('no such file or directory (ENOENT)')
  })

  it('nobody expected says what the system was asked for as well', async () => {
    expect(describeUnexpected(missing)).toBe('open /no/such/file: no such file or directory (ENOENT)')
    const refused = await new Promise((resolve) => connect('/no/such/socket').on('error', resolve))
    expect(describeUnexpected(refused)).toBe('connect /no/such/socket: no such file or directory (ENOENT)')
  })

  it.each([
    ['EACCES', 'permission denied (EACCES)'],
    ['ENOSPC', 'no space left on device (ENOSPC)'],
    // libuv has no word for these, and full or broken disks of clusters answer with them.
    ['EDQUOT', 'disk quota exceeded (EDQUOT)'],
    ['ESTALE', 'stale file handle (ESTALE)'],
    ['EWHATEVER', 'EWHATEVER'],
  ])('%s has a sentence', (code, sentence) => {
    expect(sentenceOfCode(code)).toBe(sentence)
  })

  it('that libuv does not know is known by its number', () => {
    const error = Object.assign(new Error('Unknown system error -122: Unknown system error -122, write'), {
      errno: -122,
      code: 'Unknown system error -122',
      syscall: 'write',
    })
    expect(systemCode(error)).toBe('EDQUOT')
    expect(messageOf(error)).toBe('disk quota exceeded (EDQUOT)')
    expect(describeUnexpected(error)).toBe('write: disk quota exceeded (EDQUOT)')
  })

  it.each([
    [new SshjobError('busy', 'A sentence.'), 'A sentence.'],
    [Object.assign(new Error('bad argument'), { code: 'ERR_INVALID_ARG_TYPE' }), 'bad argument'],
    ['a string', 'a string'],
    [null, 'null'],
  ])('is not what others are: %s', (error, message) => {
    expect(messageOf(error)).toBe(message)
    expect(describeUnexpected(error)).toBe(message)
  })

  it('is never said by its code alone: no sentence of this project has systemCode() in it', () => {
    const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.ts'),
    )
    expect(files.length).toBeGreaterThan(100)
    const raw = files.filter((name) =>
      /(\$\{[^`}]*systemCode\(|reason: systemCode\(|systemCode\([^)]*\) \?\? messageOf|\?\? error\.message\))/.test(
        readFileSync(`src/${name}`, 'utf8'),
      ),
    )
    expect(raw).toEqual([])
  })
})

test('codes of our own are no codes of the kernel', () => {
  expect(kernelSentence('usage')).toBeUndefined()
})
