import { complete } from '../../../../src/cli/completion/complete.js'
import type { Sources } from '../../../../src/cli/completion/sources.js'

/** What the sources were asked. */
let asked: unknown[] = []

const sources: Sources = {
  jobs: (given) => {
    asked.push(['jobs', given])
    return Promise.resolve([{ value: 'train', meaning: 'python3 train.py' }, { value: '1138.0' }])
  },
  ports: (job, given) => {
    asked.push(['ports', job, given])
    return Promise.resolve([{ value: '8888' }, { value: '6006' }])
  },
  places: (word, given) => {
    asked.push(['places', word, given])
    return Promise.resolve({ kind: 'words', candidates: [{ value: 'train:' }] })
  },
}

beforeEach(() => {
  asked = []
})

/** The values, or what the shell is to find. */
async function find(...words: string[]): Promise<string | string[]> {
  const completion = await complete(words, sources)
  return completion.kind === 'words' ? completion.candidates.map(({ value }) => value) : completion.kind
}

const COMMANDS = ['cp', 'ls', 'open', 'ssh-config', 'proxy', 'htcondor', 'completion', 'demo']

describe('the completion of', () => {
  it('the first word has the commands and the jobs', async () => {
    expect(await find('sshjob', '')).toEqual([...COMMANDS, 'train', '1138.0'])
    expect(await find('/opt/bin/sshjob', 'p')).toEqual(['proxy'])
    expect(await find('sshjob', 'tr')).toEqual(['train'])
  })

  it('a job behind options has the jobs alone, and what is behind a job is for the job', async () => {
    expect(await find('sshjob', '-tt', '--env', 'A=b', '')).toEqual(['train', '1138.0'])
    expect(await find('sshjob', '--', 'c')).toEqual([])
    expect(await find('sshjob', 'train', '')).toEqual([])
    expect(await find('sshjob', 'train', '-')).toEqual([])
  })

  it('options has those of the command', async () => {
    expect(await find('sshjob', '--no-')).toEqual(['--no-tty', '--no-command', '--no-input'])
    expect(await find('sshjob', 'ls', '-')).toEqual(['-h', '--json', '--name', '--pool', '--help'])
    expect(await find('sshjob', 'ls', '--j')).toEqual(['--json'])
    expect(await find('sshjob-keygen', '--f')).toEqual(['--file', '--fingerprint'])
    expect(await find('sshjob-server', '--log-f')).toEqual(['--log-file', '--log-format'])
    expect(await find('sshjob', 'ls', '--', '-')).toEqual([])
  })

  it('values has those that there are', async () => {
    expect(await find('sshjob-server', '--log-format', '')).toEqual(['text', 'json'])
    expect(await find('sshjob-server', '--log-format=j')).toEqual(['--log-format=json'])
    expect(await find('sshjob-server', '--allow-forwarding', 'l')).toEqual(['local'])
    expect(await find('sshjob-keygen', '-qt', 'r')).toEqual(['rsa'])
    expect(await find('sshjob-keygen', '-q', '-f', '')).toBe('files')
    expect(await find('sshjob-server', '--motd=')).toBe('files')
    expect(await find('sshjob', 'htcondor', 'install', '--prefix', '')).toBe('directories')
    expect(await find('sshjob', '--env', 'A')).toEqual([])
    expect(await find('sshjob', '--nonsense=', '')).toEqual(['train', '1138.0'])
    expect(await find('sshjob', '--constructor=')).toEqual([])
  })

  it('a value in the same word, or one that may be left out, takes no other word', async () => {
    expect(await find('sshjob', '-e^X', 'tr')).toEqual(['train'])
    expect(await find('sshjob', '--wait', 'tr')).toEqual(['train'])
    expect(await find('sshjob', '--name=ap1', 'tr')).toEqual(['train'])
    expect(asked.at(-1)).toEqual(['jobs', [expect.objectContaining({ name: 'name', value: 'ap1' })]])
  })

  it('words of commands has what each takes', async () => {
    expect(await find('sshjob', 'open', '')).toEqual(['train', '1138.0'])
    expect(await find('sshjob', 'open', 'train', '8')).toEqual(['8888'])
    expect(asked.at(-1)).toEqual(['ports', 'train', []])
    expect(await find('sshjob', 'open', 'train', '8888', '')).toEqual([])
    expect(await find('sshjob', 'proxy', '')).toEqual(['train', '1138.0'])
    expect(await find('sshjob', 'htcondor', '')).toEqual(['install', 'uninstall', 'doctor'])
    expect(await find('sshjob', 'htcondor', 'install', '--d')).toEqual(['--dry-run'])
    expect(await find('sshjob', 'htcondor', 'install', '')).toEqual([])
    expect(await find('sshjob', 'completion', 'z')).toEqual(['zsh'])
    expect(await find('sshjob', 'demo', '')).toEqual([])
    expect(await find('sshjob-server', '--', '')).toBe('programs')
    expect(await find('sshjob-server', '--', 'python3', 'tr')).toBe('files')
    expect(await find('sshjob-server', '--', 'python3', '-')).toBe('files')
  })

  it('cp has places, for each of its words', async () => {
    expect(await find('sshjob', 'cp', '-r', '--name', 'ap1', 'a', 'tr')).toEqual(['train:'])
    expect(asked).toEqual([
      [
        'places',
        'tr',
        [
          expect.objectContaining({ name: 'recursive' }),
          expect.objectContaining({ name: 'name', value: 'ap1' }),
        ],
      ],
    ])
  })

  it('another program has nothing', async () => {
    expect(await find('ssh', '')).toEqual([])
    expect(await find('')).toEqual([])
  })
})
