import assert from 'node:assert/strict'
import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { planCopy } from '../../../src/client/copy/plan.js'
import { runPlan } from '../../../src/client/copy/run-plan.js'
import { localSide, remoteSide } from '../../../src/client/copy/sides.js'
import { remoteFiles } from '../../../src/client/sftp/remote-files.js'
import { SshjobError } from '../../../src/core/errors.js'
import type { Channel } from '../../../src/ssh/channel.js'
import { FX, FXP, makePacket, PacketSplitter } from '../../../src/ssh/sftp-protocol.js'
import { byte, string, uint32, uint64 } from '../../../src/ssh/wire.js'
import { connectionPair } from '../../helpers/connection-pair.js'
import { mutated } from '../core/mutations.js'
import { type Script, type Step, say } from '../core/script.js'
import type { OpenTarget, Target } from '../core/target.js'
import { bytes, oneOf } from '../core/values.js'

const REQUEST_MAX = 2 ** 20
/** Of a listing that never ends: a server may say that for ever, and `sshjob cp` has its user to stop it. */
const LISTINGS_MAX = 100

const status = (code: number): Buffer =>
  Buffer.concat([byte(FXP.STATUS), uint32(code), string('no'), string('')])
const HANDLE = Buffer.concat([byte(FXP.HANDLE), string('h')])

/** Which step answers which request, and what is said where there is none left. */
const ANSWERS: ReadonlyMap<number, readonly [verb: string, otherwise: Buffer]> = new Map([
  [FXP.STAT, ['attributes', status(FX.NO_SUCH_FILE)]],
  [FXP.LSTAT, ['attributes', status(FX.NO_SUCH_FILE)]],
  [FXP.FSTAT, ['attributes', Buffer.concat([byte(FXP.ATTRS), uint32(0)])]],
  [FXP.OPENDIR, ['open', HANDLE]],
  [FXP.OPEN, ['open', HANDLE]],
  [FXP.READDIR, ['names', status(FX.EOF)]],
  [FXP.READ, ['data', status(FX.EOF)]],
  [FXP.READLINK, ['link', status(FX.FAILURE)]],
])

function serveTree(channel: Channel, script: Script): void {
  const left: Step[] = [...script]
  const splitter = new PacketSplitter(REQUEST_MAX)
  let requests = 0
  channel.onRequest = () => true
  channel.output.on('error', () => undefined)
  channel.input.on('data', (chunk: Buffer) => {
    splitter.add(chunk)
    for (let request = splitter.take(); request !== undefined; request = splitter.take()) {
      const type = request.byte()
      if (!channel.output.writable || ++requests > LISTINGS_MAX) return channel.close()
      if (type === FXP.INIT) {
        channel.output.write(makePacket(FXP.VERSION, uint32(3)))
        continue
      }
      const [verb, otherwise] = ANSWERS.get(type) ?? ['done', status(FX.OK)]
      const at = left.findIndex((step) => step.verb === verb && step.bytes.length > 0)
      const answer = at < 0 ? otherwise : (left.splice(at, 1)[0]?.bytes ?? otherwise)
      channel.output.write(makePacket(answer[0] ?? 0, uint32(request.uint32()), answer.subarray(1)))
    }
  })
}

/** `sshjob cp -r JOB:tree here`, from a server that says what it likes: what is not below `here` stays as it is. */
async function open(directory: string): Promise<OpenTarget> {
  const here = join(directory, 'here')
  async function run(script: Script): Promise<string> {
    writeFileSync(join(directory, 'precious'), 'precious')
    mkdirSync(here)
    const pair = await connectionPair(undefined, {
      server: {
        onChannelOpen: () => ({ accept: (channel) => serveTree(channel, script) }),
        onGlobalRequest: () => false,
      },
    })
    const files = remoteFiles(() => pair.client.connection.open('session'))
    const source = remoteSide(files, 'job')
    let failures: number | undefined
    try {
      const [sources, target] = [[Buffer.from('tree')], Buffer.from(here)]
      const options = { recursive: true, note: () => undefined }
      const plan = await planCopy(source, localSide, { sources, target }, options)
      const copyFile = (from: Buffer, to: Buffer) => files.download(from, to)
      const { signal } = new AbortController()
      const quiet = { onProgress: () => undefined, onFailure: () => undefined }
      const more = { preserve: false, resume: false, signal, ...quiet }
      failures = await runPlan(plan, { source, target: localSide, copyFile }, more)
    } catch (error) {
      assert.ok(error instanceof SshjobError, String(error))
    }
    await pair.close()
    assert.equal(readdirSync(directory).sort().join(), 'here,precious')
    assert.ok(lstatSync(join(directory, 'precious')).isFile())
    assert.equal(readFileSync(join(directory, 'precious'), 'utf8'), 'precious')
    assert.ok(readdirSync(here).every((name) => name === 'tree'))
    rmSync(here, { recursive: true })
    return failures === undefined ? 'ended' : failures > 0 ? 'copied in part' : 'copied'
  }
  return { run, close: async () => undefined }
}

const attributes = (mode: number): Buffer =>
  Buffer.concat([uint32(13), uint64(9), uint32(mode), uint32(0), uint32(0)])
const [FOLDER, FILE, LINK] = [attributes(0o40755), attributes(0o100644), attributes(0o120777)]
const kind = fc.constantFrom(FOLDER, FILE, FILE, LINK)
const name = oneOf('a', 'b', 'a', 'tree', '..', '../precious', '/etc/x', 'x/y', '', '.', 'a\0b')
const entry = fc
  .tuple(name, kind)
  .map(([text, attributes]) => Buffer.concat([text, string('long'), attributes]))
const names = fc
  .array(entry, { maxLength: 4 })
  .map((list) => Buffer.concat([byte(FXP.NAME), uint32(list.length), ...list]))
const leadsTo = oneOf('../precious', '..', '/tmp', 'a', '../../precious', '').map((path) =>
  Buffer.concat([byte(FXP.NAME), uint32(1), path, string(''), uint32(0)]),
)
const data = bytes(40).map((some) => Buffer.concat([byte(FXP.DATA), string(some)]))
const step = fc.oneof(
  { weight: 4, arbitrary: names.map((answer) => say(answer, 'names')) },
  { weight: 3, arbitrary: leadsTo.map((answer) => say(answer, 'link')) },
  { weight: 2, arbitrary: data.map((answer) => say(answer, 'data')) },
  {
    weight: 1,
    arbitrary: kind.map((stats) => say(Buffer.concat([byte(FXP.ATTRS), stats]), 'attributes')),
  },
)
const first = say(Buffer.concat([byte(FXP.ATTRS), FOLDER]), 'attributes')

export const COPY_TARGETS: readonly Target[] = [
  {
    name: 'copy',
    scripts: mutated(fc.array(step, { minLength: 1, maxLength: 12 }).map((steps) => [first, ...steps])),
    outcomes: ['ended', 'copied', 'copied in part'],
    open,
  },
]
