import { type Case, type Context, enter, must } from './case.js'

/** A file of alice's with this content, and where the job shall find it. */
async function withFile({ pool }: Context, use: (sent: string) => Promise<void>): Promise<void> {
  await pool.get('alice', ['sh', '-c', 'mkdir -p files && head -c 1M /dev/urandom >files/sent'])
  try {
    await use('files/sent')
  } finally {
    await pool.get('alice', ['rm', '-rf', 'files'])
  }
}

async function expectSame({ pool }: Context, ...files: readonly string[]): Promise<void> {
  for (const file of files) await pool.get('alice', ['cmp', 'files/sent', file])
}

export const FILE_CASES: readonly Case[] = [
  {
    title: '`-ssh sftp`',
    client: 'condor_ssh_to_job',
    symptom: /usage: sftp|Connection closed/,
    run: (context) =>
      withFile(context, async (sent) => {
        const lines = `put ${sent} files/there\nget files/there files/back\n`
        const result = await enter(context, ['-ssh', 'sftp', context.job], lines)
        must(result, { stdout: /^sftp> put/ })
        await expectSame(context, 'files/there', 'files/back')
      }),
  },
  {
    title: '`-ssh scp`',
    client: 'condor_ssh_to_job',
    symptom: /none: No such file|Connection closed/,
    run: (context) =>
      withFile(context, async (sent) => {
        // The host's name is put in by condor_ssh_to_job, condor_ssh_to_job(1).
        for (const paths of [
          [sent, 'remote:files/there'],
          ['remote:files/there', 'files/back'],
        ])
          must(await enter(context, ['-ssh', 'scp', context.job, ...paths]), { stdout: '' })
        await expectSame(context, 'files/there', 'files/back')
      }),
  },
  {
    title: '`rsync -e condor_ssh_to_job`',
    run: (context) =>
      withFile(context, async (sent) => {
        const { pool, client, job } = context
        const rsync = ['rsync', '--checksum', '-e', client.command.join(' ')]
        await pool.get('alice', [...rsync, sent, `${job}:files/there`])
        await pool.get('alice', [...rsync, `${job}:files/there`, 'files/back'])
        await expectSame(context, 'files/there', 'files/back')
      }),
  },
]
