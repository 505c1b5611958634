import { formatJobs } from '../../../src/cli/ls.js'

const JOB = {
  id: 'train',
  host: 'gpu17',
  pids: [799083, 799090],
  user: 'ada',
  since: '2026-01-31T14:05:00',
  command: ['python3', 'train.py', '--epochs', '90'],
}

describe('the table of jobs', () => {
  it('has a heading and padded columns', () => {
    const short = { ...JOB, id: 'a-longer-name', pids: [7], command: ['true'] }
    expect(formatJobs([JOB, short], undefined)).toBe(
      [
        'ID             PIDS           USER  SINCE             COMMAND',
        'train          799083,799090  ada   2026-01-31 14:05  python3 train.py --epochs 90',
        'a-longer-name  7              ada   2026-01-31 14:05  true',
        '',
      ].join('\n'),
    )
  })

  it('cuts the command to the width of the terminal, and shows that it did', () => {
    const [, line = ''] = formatJobs([JOB], 60).split('\n')
    expect(line).toBe('train  799083,799090  ada   2026-01-31 14:05  python3 train…')
    expect(line).toHaveLength(60)
  })

  it('shows control characters of a command as what they are not', () => {
    const evil = { ...JOB, command: ['printf', '\x1b]0;title\x07\n'] }
    expect(formatJobs([evil], undefined)).toContain('printf ?]0;title??\n')
  })
})
