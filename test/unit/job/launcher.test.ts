import { spawnSync } from 'node:child_process'
import { prepareLaunch } from '../../../src/job/launcher.js'
import { runIn, testJob } from '../../helpers/job-session.js'
import { describeWith } from '../../helpers/needs.js'

describe('a launch', () => {
  it('is the program itself when there is nothing to prepare', () => {
    const launch = prepareLaunch({ file: '/bin/echo', args: ['a', Buffer.from('ü')] }, new Map(), {})
    expect(launch).toEqual({ file: '/bin/echo', args: ['a', 'ü'], environment: {} })
  })

  it('runs a command whose bytes are not UTF-8 as it is', async () => {
    const command = Buffer.concat([
      Buffer.from("printf %s '"),
      Buffer.from('a\xff\\n%d\xc3\n', 'latin1'),
      Buffer.from("'|od -An -tx1\n"),
    ])
    const { stdout } = await runIn(testJob(), command)
    expect(stdout).toBe(' 61 ff 5c 6e 25 64 c3 0a\n')
  })

  it('runs a command of 100 KiB whose bytes are not UTF-8', async () => {
    const command = Buffer.concat([
      Buffer.from(': '),
      Buffer.alloc(100 * 1024, 0xe9),
      Buffer.from('; echo ran'),
    ])
    expect((await runIn(testJob(), command)).stdout).toBe('ran\n')
  })

  it('refuses a command with a zero byte', () => {
    expect(() =>
      testJob().spawn({ command: Buffer.from('a\0b'), environment: new Map(), terminal: undefined }),
    ).toThrow('The command holds a zero byte, which no command line can have.')
  })

  it('names the reason when the command is too long for the system', () => {
    expect(() =>
      testJob().spawn({ command: Buffer.alloc(200_000, 'a'), environment: new Map(), terminal: undefined }),
    ).toThrow('The command could not be started in the job: argument list too long (E2BIG).')
  })
})

describe.each([['dash'], ['busybox'], ['bash']])('the prelude in %s', (shell) => {
  describeWith([shell], 'prepares and becomes the program', () => {
    const args = shell === 'busybox' ? ['sh'] : []
    const run = (...given: Parameters<typeof prepareLaunch>): ReturnType<typeof spawnSync> => {
      const launch = prepareLaunch(...given)
      // As it is called in earnest; busybox finds its applet by the name.
      const argv0 = shell === 'busybox' ? shell : launch.argv0
      const env = { ...launch.environment, PATH: process.env.PATH }
      return spawnSync(shell, [...args, ...launch.args], { env, argv0 })
    }

    it('with bytes as they are, line ends at the end too', () => {
      const bytes = Buffer.from('\xff\'"$`\\ %s\t\xc3\n\n', 'latin1')
      const command = 'printf %s "$1" "$RAW"; printf %s "$#"'
      const program = { file: 'sh', args: ['-c', command, 'sh', bytes, Buffer.from('ok')] }
      const { stdout, stderr } = run(program, new Map([['RAW', bytes]]), {})
      expect(stderr.toString()).toBe('')
      expect(stdout.toString('latin1')).toBe(
        Buffer.concat([bytes, bytes, Buffer.from('2')]).toString('latin1'),
      )
    })

    it('with the soft limit of open files, in the same process', () => {
      const program = { file: 'sh', args: ['-c', 'ulimit -Sn; ulimit -Hn; echo $$'] }
      const hard = spawnSync('sh', ['-c', 'ulimit -Hn']).stdout.toString().trim()
      const { stdout, pid } = run(program, new Map(), { openFiles: 123 })
      expect(stdout.toString()).toBe(`123\n${hard}\n${pid}\n`)
    })
  })
})
