import { formatJobs } from '../../../../src/cli/ls/ls.js'
import type { ListedJob } from '../../../../src/engines/list-jobs.js'

const NOW = Date.parse('2026-01-31T16:10:00Z')
const JOB = {
  engine: 'local',
  state: 'running',
  id: 'train',
  host: 'gpu17',
  pids: [799083, 799090],
  user: 'ada',
  since: '2026-01-31T14:05:00Z',
  command: ['python3', 'train.py', '--epochs', '90'],
} satisfies ListedJob
const HELD = {
  engine: 'htcondor',
  id: '1138.0',
  state: 'held',
  reason: 'Error from slot1@node7: no such file',
  host: undefined,
  user: 'ada',
  since: '2026-01-31T16:09:18Z',
  command: ['/bin/sleep', '60'],
} satisfies ListedJob

describe('the table of jobs', () => {
  it('has a heading and padded columns, and says why a job is not running', () => {
    const idle = { ...HELD, id: '1139.0', state: 'idle', reason: undefined }
    expect(formatJobs([JOB, HELD, idle], NOW, undefined)).toBe(
      [
        'ID      STATE    HOST   FOR    COMMAND OR REASON',
        'train   running  gpu17  2h 5m  python3 train.py --epochs 90',
        '1138.0  held     -      42s    Error from slot1@node7: no such file',
        '1139.0  idle     -      42s    /bin/sleep 60',
        '',
      ].join('\n'),
    )
  })

  it('cuts the last column to the width of the terminal, and shows that it did', () => {
    const [, line = ''] = formatJobs([JOB], NOW, 44).split('\n')
    expect(line).toBe('train  running  gpu17  2h 5m  python3 tra...')
    expect(line).toHaveLength(44)
  })

  it('shows control characters of a command as what they are not', () => {
    const evil = { ...JOB, command: ['printf', '\x1b]0;title\x07\n\u202eend'] }
    expect(formatJobs([evil], NOW, undefined)).toContain('printf ?]0;title? ?end\n')
  })
})
