import { Writable } from 'node:stream'
import { SshjobError } from '../../core/errors.js'
import { HTCONDOR_CLOSE_TIMEOUT_MS, HTCONDOR_OPEN_TIMEOUT_MS } from '../../core/limits.js'
import { readLine } from '../../hello/line.js'
import { StderrTail } from '../../process/stderr-tail.js'
import { commandStream } from '../../streams/command.js'
import type { OpenedJob, OpenOptions } from '../engine.js'
import {
  type CarrierOptions,
  carrierCommand,
  checkCarrierLine,
  describeBrokenLine,
  readCarrierKeys,
} from './carrier.js'
import { describeFailure, isAboutKeys } from './failure.js'
import type { HtcondorSettings } from './settings.js'

/**
 * The connection that condor_ssh_to_job(1) makes, which authenticates and authorises as ever, with the keys of this
 * session that HTCondor has handed over on it.
 * @throws SshjobError with what condor_ssh_to_job said; 'program-missing', 'aborted'
 */
export async function openHtcondorJob(
  id: string,
  settings: HtcondorSettings,
  options: OpenOptions,
): Promise<OpenedJob> {
  try {
    return await openOnce(id, { ...settings, ...options, anyKey: false })
  } catch (error) {
    // An execution point whose ssh-keygen makes no ed25519 keys, as under FIPS 140.
    if (!isAboutKeys(error)) throw error
    return openOnce(id, { ...settings, ...options, anyKey: true })
  }
}

async function openOnce(id: string, options: CarrierOptions & OpenOptions): Promise<OpenedJob> {
  const { signal, debug } = options
  const said = new StderrTail()
  const stream = commandStream(carrierCommand(id, options), {
    // Its log ends condor_ssh_to_job when it can't be written, and the keys stay: we may be gone by then.
    stderr: debug ? 'inherit' : writableTo(said),
    // Ctrl-C is for us to handle: condor_ssh_to_job would end the session, and leave its keys behind.
    ownGroup: true,
    leash: true,
    patienceMs: HTCONDOR_CLOSE_TIMEOUT_MS,
    ...(signal === undefined ? {} : { signal }),
  })
  try {
    const line = await readLine(stream, {
      timeoutMs: HTCONDOR_OPEN_TIMEOUT_MS,
      signal,
      check: checkCarrierLine,
    })
    // Whoever gets the stream listens for its end; until then, a failure must not be one of the whole process.
    stream.on('error', () => undefined)
    return { stream, ...readCarrierKeys(line) }
  } catch (error) {
    stream.on('error', () => undefined).destroy()
    // What the stream failed with says more than that it failed.
    const reason = error instanceof SshjobError && error.cause instanceof SshjobError ? error.cause : error
    if (reason instanceof SshjobError && reason.code !== 'connection-lost') throw describeBrokenLine(reason)
    throw describeFailure(said.text(), reason)
  }
}

function writableTo(tail: StderrTail): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      tail.add(chunk)
      done()
    },
  })
}
