import { checkJobId, defaultJobId } from '../../../../src/engines/local/job-id.js'

describe('job ids', () => {
  it.each(['train', '123.0', '4711_3', 'a:b', 'A-b_c.d', '_x', 'x'.repeat(64)])('may be %s', (id) => {
    expect(() => checkJobId(id)).not.toThrow()
  })

  it.each(['', '.hidden', '-x', '..', 'a/b', '../x', 'a b', 'a\n', 'é', 'a\0', ':x', '$(x)', 'x'.repeat(65)])(
    'may not be %j',
    (id) => {
      expect(() => checkJobId(id)).toThrow(expect.objectContaining({ code: 'usage' }))
    },
  )

  it.each([
    ['/usr/bin/python3', 'python3-42'],
    ['./my script.sh', 'my_script.sh-42'],
    ['-', 'job-42'],
    ['.hidden', 'hidden-42'],
    ['é', '_-42'],
    ['x'.repeat(300), `${'x'.repeat(61)}-42`],
  ])('are made from the command %s', (command, id) => {
    expect(defaultJobId(command, 42)).toBe(id)
    expect(() => checkJobId(id)).not.toThrow()
  })
})
