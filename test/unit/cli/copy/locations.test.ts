import { parseLocations } from '../../../../src/cli/copy/locations.js'

describe('the operands of sshjob cp', () => {
  it.each([
    [['a', 'train:b'], { job: 'train', direction: 'up', sources: ['a'], target: 'b' }],
    [['a', 'b', 'train:'], { job: 'train', direction: 'up', sources: ['a', 'b'], target: '.' }],
    [
      ['train:a', 'train:/b c', '.'],
      { job: 'train', direction: 'down', sources: ['a', '/b c'], target: '.' },
    ],
    [['./a:b', 'train:c:d'], { job: 'train', direction: 'up', sources: ['./a:b'], target: 'c:d' }],
  ])('%j is understood', (operands, request) => {
    expect(parseLocations(operands)).toEqual(request)
  })

  it.each([
    [[], /takes SRC/],
    [['train:a'], /takes SRC/],
    [['a', 'b'], /One side has to be in a job/],
    [['train:a', 'train:b'], /Only one side/],
    [['a', 'train:a', 'b'], /All sources/],
    [['train:a', 'other:a', 'b'], /All sources/],
  ])('%j is refused', (operands, message) => {
    expect(() => parseLocations(operands)).toThrow(message)
  })
})
