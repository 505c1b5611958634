import type { ListenAt } from '../../client/types.js'
import { SshjobError } from '../../core/errors.js'
import {
  type ForwardKind,
  type ForwardSpec,
  parseDynamic,
  parseForward,
  parseListen,
} from './forward-specs.js'
import type { Forwardings } from './forwardings.js'

const HELP = `Commands:
  -L [BIND:]PORT:HOST:HOSTPORT    forward a port here into the job
  -R [BIND:]PORT[:HOST:HOSTPORT]  forward a port in the job to here; or a SOCKS server there
  -D [BIND:]PORT                  a SOCKS server here
  -KL [BIND:]PORT                 end a forwarding of -L
  -KR [BIND:]PORT                 end a forwarding of -R
  -KD [BIND:]PORT                 end a SOCKS server`

type ForwardCommand =
  | { action: 'nothing' }
  | { action: 'help' }
  | { action: 'add'; spec: ForwardSpec }
  | { action: 'cancel'; kind: ForwardKind; at: ListenAt }

const KINDS: Readonly<Record<string, ForwardKind>> = { L: 'local', R: 'remote', D: 'dynamic' }

/**
 * Does what a line of ~C asks for, with the syntax of ssh(1); gives what there is to say.
 * @throws SshjobError
 */
export async function runForwardCommand(
  line: string | undefined,
  load: () => Promise<Forwardings>,
): Promise<string> {
  const command = parseForwardCommand(line ?? '')
  switch (command.action) {
    case 'nothing':
      return ''
    case 'help':
      return HELP
    case 'add':
      return `Forwarding ${await (await load()).add(command.spec)}`
    case 'cancel': {
      const done = await (await load()).cancel(command.kind, command.at)
      return done ? 'Forwarding ended.' : 'sshjob: There is no such forwarding: ~# lists them.'
    }
  }
}

/** @throws SshjobError 'usage' */
export function parseForwardCommand(line: string): ForwardCommand {
  const text = line.trim()
  if (text === '') return { action: 'nothing' }
  if (/^(-?h|\?|help)$/i.test(text)) return { action: 'help' }
  const [, cancel, letter = '', argument = ''] = /^-?(K?)([LRD])\s*(.*)$/.exec(text) ?? []
  const kind = KINDS[letter]
  if (kind === undefined) {
    throw new SshjobError('usage', `'${text}' is no command: 'help' lists them.`)
  }
  if (cancel === '') {
    const spec = kind === 'dynamic' ? parseDynamic(argument) : parseForward(kind, argument)
    return { action: 'add', spec }
  }
  const at = parseListen(argument, kind === 'remote' ? 'remote' : 'local')
  if (at === undefined) throw new SshjobError('usage', `-K${letter} takes [BIND:]PORT, not '${argument}'.`)
  return { action: 'cancel', kind, at }
}
