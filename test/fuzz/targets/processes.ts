import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import fc from 'fast-check'
import { SshjobError } from '../../../src/core/errors.js'
import { starterPermissions } from '../../../src/permissions/forwarding-options.js'
import { admitKeys } from '../../../src/server/admission.js'
import { serveAdmitted } from '../../../src/server/serve-admitted.js'
import { parseKey } from '../../../src/ssh/keys.js'
import { MSG, string, uint32 } from '../../../src/ssh/wire.js'
import { turnOfEventLoop } from '../../helpers/bytes.js'
import { processesWith } from '../../helpers/processes.js'
import { rawPeer } from '../../helpers/raw-peer.js'
import { testJob } from '../../helpers/session-pair.js'
import type { Script } from '../core/script.js'
import type { OpenTarget, Target } from '../core/target.js'
import { bytes, message } from '../core/values.js'
import { memoryWire } from '../core/wire.js'
import { play } from './adversary.js'
import { freshKeys } from './keys.js'
import { channel, conversations, requests, sessionRequests } from './messages.js'

/** Whatever a script asks for, it chooses among these: what is run is run for real. */
const FORCED = `case "$SSH_ORIGINAL_COMMAND" in
  *sleep*) exec sleep 1000;;
  *flood*) exec yes;;
  *both*) yes & exec yes >&2;;
  *deaf*) trap '' HUP TERM; sleep 1000 & wait;;
  *fail*) exit 7;;
  *) exec cat;;
esac`
const COMMANDS = ['cat', 'cat', 'sleep', 'flood', 'flood', 'both', 'fail', 'fail', 'deaf']
/** Pipes that are made before somebody needs them, and the process that looks after what is left. */
const KEEPS = 40
const LOOK_MS = 20

async function open(): Promise<OpenTarget> {
  const keys = freshKeys()
  const permissions = [starterPermissions({ forwarding: 'none' })] as const
  async function run(script: Script): Promise<string> {
    const mark = randomUUID()
    const wire = memoryWire()
    const admitted = admitKeys(
      [parseKey(keys.server.hostPrivateKey)],
      [parseKey(keys.server.clientPublicKey)],
      { permissions },
    )
    const rules = {
      permissions,
      forced: { kind: 'command', command: FORCED } as const,
      environment: { SSHJOB_FUZZ_CASE: mark },
      // A shell that reads what a script names, or looks for its programs elsewhere, would be another.
      acceptedVariables: ['LANG*', 'LC_*', 'X_*'],
    }
    const login: typeof admitted.login = (user) => {
      const { authorize } = admitted.login(user)
      return { authorize: (key) => (authorize(key) === undefined ? undefined : rules) }
    }
    const served = serveAdmitted(wire.ours, testJob(), { ...admitted, login }, {})
    const peer = await rawPeer(wire.theirs, keys.client)
    for (const id of [0, 1]) await peer.open(id)
    for (const step of script) {
      if (peer.transport.closed || !wire.theirs.writable) break
      await play(step, wire, peer.transport, keys.fill)
      await turnOfEventLoop()
    }
    wire.destroy()
    const cause = await served.closed
    await peer.closed
    assert.equal(served.channels, 0)
    while (processesWith(mark).length > 0) await delay(LOOK_MS)
    const ran = peer.messages.some(([type]) => type === MSG.CHANNEL_SUCCESS)
    assert.ok(cause instanceof SshjobError)
    return ran ? 'ran something' : 'ran nothing'
  }
  return { run, close: async () => undefined }
}

const starts = requests('exec', fc.constantFrom(...COMMANDS).map(string))
const terminals = requests(
  'pty-req',
  fc.constant(string('xterm')),
  ...[80, 24, 0, 0].map(uint32),
  fc.constant(string('\0')),
)
const conversation = conversations(
  fc.oneof(
    { weight: 4, arbitrary: starts },
    { weight: 2, arbitrary: terminals },
    { weight: 2, arbitrary: message(MSG.CHANNEL_DATA, channel, bytes(200).map(string)) },
    { weight: 1, arbitrary: message(MSG.CHANNEL_EOF, channel) },
    { weight: 1, arbitrary: message(MSG.CHANNEL_CLOSE, channel) },
    { weight: 2, arbitrary: sessionRequests },
  ),
  { most: 12 },
)

export const PROCESS_TARGETS: readonly Target[] = [
  {
    name: 'processes',
    scripts: conversation,
    outcomes: ['ran something', 'ran nothing'],
    cases: 30,
    keeps: KEEPS,
    open,
  },
]
