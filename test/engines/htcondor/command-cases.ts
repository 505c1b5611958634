import { type Case, type Context, enter, must } from './case.js'

async function expectOutput(
  context: Context,
  command: string,
  stdout: string,
  stdin?: string,
): Promise<void> {
  must(await enter(context, [context.job, command], stdin), { stdout })
}

export const COMMAND_CASES: readonly Case[] = [
  {
    title: 'a command, in the environment and the folder of the job',
    run: (context) =>
      expectOutput(context, 'echo $FROM_THE_JOB; pwd; echo [$LD_PRELOAD]', 'yes\n/home/alice\n[]\n'),
  },
  {
    title: 'its arguments as they were given',
    symptom: /\[a b\]/,
    run: (context) => expectOutput(context, `printf '[%s]' 'a  b' '*' "it's"`, "[a  b][*][it's]"),
  },
  {
    title: 'a pipe at both ends',
    run: (context) => expectOutput(context, 'sort | tr a-z A-Z', 'A\nB\n', 'b\na\n'),
  },
  {
    title: 'a script of several lines',
    symptom: /syntax error/,
    run: (context) =>
      expectOutput(context, 'for i in 1 2\ndo\n  echo $i # a comment\ndone\necho done', '1\n2\ndone\n'),
  },
  {
    title: 'exit status 7 is 7',
    run: async (context) => {
      const result = await enter(context, [context.job, 'echo out; echo err >&2; exit 7'])
      must(result, { exitCode: 7, stdout: 'out\n' })
      expect(result.stderr).toContain('err\n')
    },
  },
  {
    title: 'a signal that ends the command',
    run: async (context) => {
      const { signal } = context.client
      const result = await enter(context, [...signal.options, context.job, 'kill -KILL $$'])
      expect(result.exitCode).toBe(signal.exitCode)
      expect(result.stderr).toContain(signal.said)
    },
  },
  {
    title: '64 MiB into a command and out of it',
    run: async ({ pool, client, job }) => {
      const script = `
        head -c 64M /dev/urandom >sent && "$@" ${job} 'cat >there; cat there' <sent >received
        sha256sum <sent; sha256sum <received; "$@" ${job} 'sha256sum <there'; rm sent received there`
      const hashes = (await pool.get('alice', ['bash', '-c', script, 'bash', ...client.command])).split('\n')
      expect(hashes).toHaveLength(3)
      expect(new Set(hashes).size).toBe(1)
    },
  },
  {
    title: 'three sessions at once',
    run: async (context) => {
      const { pool, job } = context
      // Each ends only when all are there.
      const meet =
        'touch here.$$; until set -- here.*; [ $# = 3 ]; do sleep 0.1; done; echo met; sleep 1; rm -f here.$$'
      const all = await Promise.all([1, 2, 3].map(() => enter(context, [job, meet])))
      for (const result of all) must(result, { stdout: 'met\n' })
      expect(await pool.get('alice', ['ls'])).not.toContain('here')
    },
  },
]
