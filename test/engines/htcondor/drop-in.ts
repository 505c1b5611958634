import { describeAsRoot, describeWith } from '../../helpers/needs.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'
import { CLIENTS, type Context, SLEEP } from './case.js'
import { COMMAND_CASES } from './command-cases.js'
import { readComparison, SERVERS } from './comparison.js'
import { DOCKER_CASES } from './docker-cases.js'
import { FILE_CASES } from './file-cases.js'
import { makeImage } from './images.js'
import { LIFE_CASES, PLACE_CASES } from './life-cases.js'
import { NETWORK_CASES } from './network-cases.js'
import { POOL_START_MS, type Pool, type Suite, startPool } from './start-pool.js'
import { TERMINAL_CASES } from './terminal-cases.js'

const CASES = [
  ...COMMAND_CASES,
  ...TERMINAL_CASES,
  ...FILE_CASES,
  ...LIFE_CASES,
  ...PLACE_CASES,
  ...DOCKER_CASES,
  ...NETWORK_CASES, // last: one restarts the execution point
]
const NEEDS = ['debootstrap', 'unshare', 'tmux', 'Xvfb']
const CASE_MS = 120_000

/**
 * In a pool of this suite: the unmodified condor_ssh_to_job, with sshd and with our server at the other end, which is the
 * table in docs/htcondor.md; and our client with our server, to which all of it works.
 */
export function describeDropIn(suite: Suite): void {
  const title = `condor_ssh_to_job in a pool of ${suite}`
  describeAsRoot(title, () => describeWith(NEEDS, title, () => body(suite)))
}

function body(suite: Suite): void {
  const claim = readComparison()
  const folder = temporaryDirectory()
  let pool: Pool

  beforeAll(async () => {
    pool = await startPool(suite, `drop-in-${process.pid}`)
    await prepare(pool)
  }, POOL_START_MS)
  afterAll(() => pool?.stop())

  const pairs = [
    ...SERVERS.map((server) => ['condor_ssh_to_job', server] as const),
    ['sshjob', 'sshjob-server'] as const,
  ]
  describe.each(pairs)('%s and %s', (name, server) => {
    let context: Context

    beforeAll(async () => {
      const settings = server === 'sshd' ? '' : OURS
      await pool.restartExecutionPoint(settings)
      const job = await pool.submit('alice', ...SLEEP, 'environment = "FROM_THE_JOB=yes"')
      await pool.becomesEnterable('alice', job)
      context = { pool, client: CLIENTS[name], server, settings, job, folder: folder() }
    }, CASE_MS)
    afterAll(() => pool.get('alice', ['condor_rm', '-all']), CASE_MS)

    for (const { title, symptom: symptoms, client = name, run } of CASES) {
      const symptom = symptoms instanceof RegExp ? symptoms : symptoms?.[server]
      const { verdict, cell } = claim(title, server, suite)
      if (verdict === 'not asked' || client !== name) continue
      if (verdict === 'no' && symptom === undefined) throw new Error(`'${title}' has no symptom.`)
      it(
        `${title}: ${cell}`,
        async () => {
          if (verdict === 'yes') await run(context)
          else await expect(run(context)).rejects.toThrow(symptom)
        },
        CASE_MS,
      )
    }
  })
}

async function prepare(pool: Pool): Promise<void> {
  const launchers = ['server', 'keygen'].map(
    (name) =>
      `printf '#!/bin/sh\\nexec /usr/local/bin/node /opt/sshjob/dist/sshjob-${name}.cjs "$@"\\n' >/usr/local/sbin/sshjob-${name}`,
  )
  await pool.get('root', ['sh', '-ec', [...launchers, 'chmod 755 /usr/local/sbin/sshjob-*'].join('\n')])
  if (pool.suite === 'sid') await makeImage(pool)
  await pool.startDocker()
}

/** What an administrator would write. */
const OURS = `
SSH_TO_JOB_SSHD = /usr/local/sbin/sshjob-server
SSH_TO_JOB_SSH_KEYGEN = /usr/local/sbin/sshjob-keygen
SSH_TO_JOB_SSH_KEYGEN_ARGS = "-N '' -C '' -q -f %f -t ed25519"
`
