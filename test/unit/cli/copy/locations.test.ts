import { parseLocations } from '../../../../src/cli/copy/locations.js'

const bytes = (text: string): Buffer => Buffer.from(text)

describe('the operands of sshjob cp', () => {
  it.each([
    [['a', 'train:b'], { job: 'train', direction: 'up', sources: ['a'], target: 'b' }],
    [['a', 'b', 'train:'], { job: 'train', direction: 'up', sources: ['a', 'b'], target: '.' }],
    [
      ['train:a', 'train:/b c', '.'],
      { job: 'train', direction: 'down', sources: ['a', '/b c'], target: '.' },
    ],
    [['./a:b', 'train:c:d'], { job: 'train', direction: 'up', sources: ['./a:b'], target: 'c:d' }],
    [
      ['htcondor:1138.0:a:b', '.'],
      { job: 'htcondor:1138.0', direction: 'down', sources: ['a:b'], target: '.' },
    ],
    [['a', '1138:b'], { job: '1138', direction: 'up', sources: ['a'], target: 'b' }],
    [['a', 'train:5:b'], { job: 'train', direction: 'up', sources: ['a'], target: '5:b' }],
    [['a', 'htcondor:b'], { job: 'htcondor', direction: 'up', sources: ['a'], target: 'b' }],
  ])('%j is understood', (operands, request) => {
    const { sources, target, ...rest } = parseLocations(operands.map(bytes))
    expect({ ...rest, sources: sources.map(String), target: String(target) }).toEqual(request)
  })

  it.each([
    [[], /takes SRC/],
    [['train:a'], /takes SRC/],
    [['a', 'b'], /One side has to be in a job/],
    [['train:a', 'train:b'], /Only one side/],
    [['a', 'train:a', 'b'], /All sources/],
    [['train:a', 'other:a', 'b'], /All sources/],
  ])('%j is refused', (operands, message) => {
    expect(() => parseLocations(operands.map(bytes))).toThrow(message)
  })

  it('keep bytes that are not UTF-8', () => {
    const name = Buffer.of(0x61, 0xff, 0x3a)
    const request = parseLocations([Buffer.concat([bytes('tränke:'), name]), Buffer.of(0x2e, 0x2f, 0xfe)])
    expect(request).toEqual({
      job: 'tränke',
      direction: 'down',
      sources: [name],
      target: Buffer.of(0x2e, 0x2f, 0xfe),
    })
  })
})
