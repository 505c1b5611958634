import type { Transport } from '../../../src/ssh/transport.js'
import { turnOfEventLoop } from '../../helpers/bytes.js'
import type { Step } from '../core/script.js'
import type { Wire } from '../core/wire.js'

/** More turns of the event loop for one step would be waiting for nothing. */
const TURNS_MAX = 50
/** Between two turns of the event loop: what arrives together is as interesting as what doesn't. */
export const STEPS_PER_TURN = 4

/** Does one thing with an end of SSH that is the adversary's: what the verbs of conversations() mean. */
export async function play(
  step: Step,
  wire: Wire,
  transport: Transport,
  fill: (bytes: Buffer) => Buffer,
): Promise<void> {
  const { verb, bytes, count } = step
  switch (verb) {
    case 'sockets': // what the wire is made of
      return
    case 'send':
      if (bytes.length > 0) transport.send(fill(bytes))
      return
    case 'inject':
      return wire.inject(bytes)
    case 'flip':
      return wire.flip(count)
    case 'cut-into':
      return wire.cutInto(count)
    case 'rekey':
      transport.authenticated = true
      return transport.rekey()
    case 'pause':
      wire.theirs.pause()
      return
    case 'resume':
      wire.theirs.resume()
      return
    case 'end':
      wire.theirs.end()
      return
    case 'wait':
      for (let turn = 0; turn < Math.min(count, TURNS_MAX); turn++) await turnOfEventLoop()
      return
    default:
      throw new TypeError(`nobody knows how to ${verb}`)
  }
}
