import fc from 'fast-check'
import { byte, MSG, string, uint32 } from '../../../src/ssh/wire.js'
import { mutated } from '../core/mutations.js'
import { act, type Script, type Step, say } from '../core/script.js'
import { bytes, flag, invented, message, number, oneOf, u32 } from '../core/values.js'

export const names = oneOf(
  ...['session', 'exec', 'shell', 'env', 'pty-req', 'signal', 'window-change', 'break', 'subsystem', 'sftp'],
  ...['keepalive@openssh.com', 'no-more-sessions@openssh.com', 'tcpip-forward', 'direct-tcpip', 'x11-req'],
  ...['eow@openssh.com', 'publickey', 'ssh-userauth', 'ssh-connection', '__proto__', 'TERM', ''],
)

/** The number of a channel: one of the first, which are open most often; what is about any other ends everything. */
export const channel = fc.oneof(
  { weight: 40, arbitrary: fc.nat(1).map(uint32) },
  { weight: 2, arbitrary: fc.nat(4).map(uint32) },
  { weight: 1, arbitrary: u32 },
)
/** What is right for a window or a packet most of the time. */
const size = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(32_768, 2 ** 21).map(uint32) }, u32)

export const opens = (
  type: string,
  ...data: readonly (Buffer | fc.Arbitrary<Buffer>)[]
): fc.Arbitrary<Buffer> =>
  message(MSG.CHANNEL_OPEN, string(type), fc.nat(20).map(uint32), size, size, ...data)

export const requests = (
  name: string,
  ...data: readonly (Buffer | fc.Arbitrary<Buffer>)[]
): fc.Arbitrary<Buffer> => message(MSG.CHANNEL_REQUEST, channel, string(name), flag, ...data)

export const globals = (
  name: string,
  ...data: readonly (Buffer | fc.Arbitrary<Buffer>)[]
): fc.Arbitrary<Buffer> => message(MSG.GLOBAL_REQUEST, string(name), flag, ...data)

function oneOfTypes(
  types: readonly number[],
  ...data: readonly fc.Arbitrary<Buffer>[]
): fc.Arbitrary<Buffer> {
  return fc.constantFrom(...types).chain((type) => message(type, ...data))
}

/** What either end may send on a channel, and beside all channels. */
export const onChannels: fc.Arbitrary<Buffer> = fc.oneof(
  { weight: 8, arbitrary: message(MSG.CHANNEL_DATA, channel, bytes(3_000).map(string)) },
  {
    weight: 2,
    arbitrary: message(
      ...([MSG.CHANNEL_EXTENDED_DATA, channel, fc.constantFrom(1, 1, 1, 0, 2).map(uint32)] as const),
      bytes(300).map(string),
    ),
  },
  {
    weight: 3,
    arbitrary: message(MSG.CHANNEL_WINDOW_ADJUST, channel, fc.oneof(fc.nat(2 ** 22).map(uint32), u32)),
  },
  { weight: 2, arbitrary: message(MSG.CHANNEL_EOF, channel) },
  { weight: 2, arbitrary: message(MSG.CHANNEL_CLOSE, channel) },
  { weight: 2, arbitrary: oneOfTypes([MSG.CHANNEL_SUCCESS, MSG.CHANNEL_FAILURE], channel) },
  { weight: 2, arbitrary: message(MSG.GLOBAL_REQUEST, names, flag) },
  { weight: 2, arbitrary: oneOfTypes([MSG.REQUEST_SUCCESS, MSG.REQUEST_FAILURE], bytes(8)) },
  // Answers to what nobody asked, which end everything.
  { weight: 1, arbitrary: message(MSG.CHANNEL_OPEN_CONFIRMATION, channel, u32, size, size) },
  {
    weight: 1,
    arbitrary: message(MSG.CHANNEL_OPEN_FAILURE, channel, u32, bytes(20).map(string), string('')),
  },
)

/** The modes of a terminal: RFC 4254 §8. */
const modes = fc
  .array(fc.tuple(fc.nat(160), number), { maxLength: 8 })
  .map((list) =>
    string(Buffer.concat([...list.flatMap(([mode, value]) => [byte(mode), uint32(value)]), byte(0)])),
  )

/** What a client asks of a session. */
export const sessionRequests: fc.Arbitrary<Buffer> = fc.oneof(
  requests('exec', fc.constantFrom('cat', 'cat', 'flood', 'both', 'fail', 'signal').map(string)),
  requests('shell'),
  requests('env', names, bytes(60).map(string)),
  requests('pty-req', oneOf('xterm'), u32, u32, u32, u32, fc.oneof(modes, bytes(30).map(string))),
  requests('window-change', u32, u32, u32, u32),
  requests('signal', oneOf('TERM', 'INT', 'KILL', 'NONSENSE')),
  requests('break', u32),
  requests('subsystem', names),
  requests('eow@openssh.com'),
  requests('auth-agent-req@openssh.com'),
  requests('x11-req', flag, oneOf('MIT-MAGIC-COOKIE-1'), oneOf('00ff'), u32),
  message(MSG.CHANNEL_REQUEST, channel, names, flag, bytes(40)),
)

/** Messages below the connection protocol, which come at any time: RFC 4253 §11, RFC 8308, RFC 4252. */
export const below: fc.Arbitrary<Buffer> = fc.oneof(
  message(2, bytes(40).map(string)), // ignore
  message(MSG.UNIMPLEMENTED, u32),
  message(4, flag, bytes(20).map(string), string('')), // debug
  message(5, oneOf('ssh-userauth', 'ssh-connection')),
  message(6, oneOf('ssh-userauth', 'ssh-connection')),
  message(
    MSG.EXT_INFO,
    fc.constantFrom(0, 1, 2, 2 ** 32 - 1).map(uint32),
    oneOf('server-sig-algs'),
    bytes(20).map(string),
  ),
  message(MSG.USERAUTH_REQUEST, oneOf('user'), string('ssh-connection'), oneOf('none', 'publickey')),
  oneOfTypes([51, 52, 53, 60], oneOf('publickey'), flag),
)

/** SSH_MSG_DISCONNECT ends everything: it comes once, at the end. */
export const disconnect = message(MSG.DISCONNECT, u32, bytes(30).map(string), string(''))

/** What an adversary does beside sending messages: core/wire.ts. */
const tricks: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.nat(20).map((turns) => act('wait', turns)) },
  { weight: 2, arbitrary: fc.constantFrom('pause', 'resume', 'rekey').map((verb) => act(verb)) },
  { weight: 1, arbitrary: fc.constantFrom(1, 7, 1_000).map((bytes) => act('cut-into', bytes)) },
)
const endings: fc.Arbitrary<readonly Step[]> = fc.oneof(
  { weight: 12, arbitrary: fc.constant([]) },
  disconnect.map((bytes) => [say(bytes)]),
  fc.nat(400).map((at) => [act('flip', at), say(Buffer.from([MSG.GLOBAL_REQUEST]))]),
  bytes(300).map((data) => [say(data, 'inject')]),
  fc.constant([act('end')]),
)

/** Messages in a row, with tricks between them, and mutated here and there. */
export function conversations(
  sound: fc.Arbitrary<Buffer>,
  { most, begin = [] }: { most: number; begin?: Script },
): fc.Arbitrary<Script> {
  const step = fc.oneof(
    { weight: 20, arbitrary: sound.map((bytes) => say(bytes)) },
    { weight: 1, arbitrary: below.map((bytes) => say(bytes)) },
    { weight: 1, arbitrary: invented.map((bytes) => say(bytes)) },
    { weight: 3, arbitrary: tricks },
  )
  const wire = fc.constantFrom<Script>([], [], [], [act('sockets')])
  const body = fc.tuple(fc.array(step, { minLength: 1, maxLength: most }), endings)
  return fc
    .tuple(wire, mutated(body.map(([steps, last]) => [...begin, ...steps, ...last])))
    .map(([first, script]) => [...first, ...script])
}
