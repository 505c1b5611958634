import { type Case, enter, must, runningJob } from './case.js'

/**
 * To the client, the execution point is in another network: only by the collector's broker of connections does it get
 * there. (With the shared port, daemons leave that to condor_shared_port, which serves all of this machine.)
 */
const BEHIND_A_BROKER = ['STARTD', 'STARTER']
  .flatMap((daemon) => [
    `${daemon}.PRIVATE_NETWORK_NAME = inside`,
    `${daemon}.CCB_ADDRESS = $(COLLECTOR_HOST)`,
    `${daemon}.USE_SHARED_PORT = False`,
    '',
  ])
  .join('\n')

export const NETWORK_CASES: readonly Case[] = [
  {
    title: 'through the shared port',
    run: async (context) => {
      const address = await context.pool.get('alice', ['condor_status', '-af', 'MyAddress'])
      expect(address).toMatch(/^<127\.0\.0\.1:9618\?.*sock=/)
      const result = await enter(context, [context.job, 'echo $SSH_CONNECTION; exit 7'])
      must(result, { exitCode: 7, stdout: / 9618\n$/ })
    },
  },
  {
    title: 'behind CCB, on a private network, without the shared port',
    run: async (context) => {
      const { pool, client } = context
      const address = await pool.restartExecutionPoint(context.settings + BEHIND_A_BROKER)
      expect(address).toMatch(/CCBID=.*PrivNet=inside/)
      const job = await runningJob(context)
      const result = await enter(context, [client.options.verbose, job, 'echo here; exit 7'])
      await pool.get('alice', ['condor_rm', job])
      must(result, { exitCode: 7, stdout: /here\n$/ })
      expect(result.stderr).toMatch(/CCB/)
    },
  },
]
