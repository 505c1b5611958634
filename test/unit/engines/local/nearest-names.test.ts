import { nearestNames } from '../../../../src/engines/local/nearest-names.js'

describe('the nearest names', () => {
  it.each<[string, string[], string[]]>([
    ['tarin', ['train', 'test'], ['train']],
    ['Train', ['train'], ['train']],
    ['trian2', ['train', 'train1', 'train2'], ['train2', 'train', 'train1']],
    ['python3', ['python3-4711', 'perl-1'], ['python3-4711']],
    ['gpu', ['cpu', 'web', 'gpus'], ['cpu', 'gpus']],
    ['a', ['train'], []],
    ['', ['a'], ['a']],
    ['evaluate', ['train'], []],
    ['a1', ['a2', 'a3', 'a4', 'a5'], ['a2', 'a3', 'a4']],
  ])('of %j among %j are %j', (written, names, nearest) => {
    expect(nearestNames(written, names)).toEqual(nearest)
  })
})
