import { usage } from '../arguments/options.js'
import { parseDynamic, parseForward } from '../forwarding/forward-specs.js'
import { checkPort, parseEscape, type SessionRequest } from './session-request.js'

type Apply = (request: SessionRequest, value: string, keyword: string) => void

/** What `-o KEYWORD=VALUE` does, where it does something. Keywords of ssh_config(5), in small letters. */
const HONOURED: Readonly<Record<string, Apply>> = {
  clearallforwardings: () => undefined, // the caller's to do, who knows all of them
  forwardx11trusted: () => undefined, // the same
  dynamicforward: (request, value) => void request.forwardings.push(parseDynamic(value)),
  escapechar: (request, value) => {
    request.escape = parseEscape(value)
  },
  forwardagent: (request, value, keyword) => {
    request.forwardAgent = yesOrNo(value, keyword)
  },
  forwardx11: (request, value, keyword) => {
    request.forwardX11 = yesOrNo(value, keyword) ? 'untrusted' : undefined
  },
  identityfile: (request, value) => void request.identityFiles.push(value),
  localforward: (request, value) => void request.forwardings.push(parseForward('local', joined(value))),
  loglevel: (request, value, keyword) => applyLogLevel(request, value, keyword),
  port: (_request, value) => checkPort(value),
  remoteforward: (request, value) => void request.forwardings.push(parseForward('remote', joined(value))),
  requesttty: (request, value, keyword) => {
    const wanted = { yes: 'if-possible', force: 'always', no: 'never', auto: undefined } as const
    request.terminal ??= wanted[oneOf(['yes', 'force', 'no', 'auto'], value, keyword)]
  },
  sendenv: (request, value) => void request.sentVariables.push(...value.split(/\s+/)),
  sessiontype: (request, value, keyword) => {
    const type = oneOf(['none', 'subsystem', 'default'], value, keyword)
    if (type === 'none') request.run = false
    if (type === 'subsystem') request.subsystem = true
  },
  setenv: (request, value) => {
    for (const word of value.match(/(?:"[^"]*"|\S)+/g) ?? []) {
      const [name, text] = parseVariable(word.replaceAll('"', ''), 'SetEnv')
      request.environment.set(name, text)
    }
  },
  stdinnull: (request, value, keyword) => {
    if (yesOrNo(value, keyword)) request.readInput = false
  },
  user: (request, value) => {
    request.user ??= value
  },
}

/** What can't be done, unless it is not asked for. */
const ONLY: Readonly<Record<string, { value: string; instead: string }>> = {
  forkafterauthentication: { value: 'no', instead: 'end the line with & instead' },
  gatewayports: { value: 'no', instead: "say where to listen, as in -L '*:8080:localhost:80'" },
  permitlocalcommand: { value: 'no', instead: 'run it yourself' },
  proxycommand: { value: 'none', instead: "say --proxy-command, whose command leads to 'sshjob-server -i'" },
  proxyjump: { value: 'none', instead: "run sshjob there: 'ssh -t HOST sshjob JOB'" },
  remotecommand: { value: 'none', instead: 'say the command behind JOB' },
  tunnel: { value: 'no', instead: 'forward single ports, with -L, -R or -D' },
}

/**
 * The others of ssh_config(5): they are about networks, names of hosts, and keys that are there before, none of which
 * there is on the way to a job; or about the connection's speed.
 */
const WITHOUT_MEANING = new Set(
  `addkeystoagent addressfamily batchmode bindaddress bindinterface canonicaldomains canonicalizefallbacklocal
  canonicalizehostname canonicalizemaxdots canonicalizepermittedcnames casignaturealgorithms certificatefile
  challengeresponseauthentication channeltimeout checkhostip ciphers compression connectionattempts connecttimeout
  controlmaster controlpath controlpersist enableescapecommandline enablesshkeysign exitonforwardfailure fingerprinthash
  forwardx11timeout globalknownhostsfile gssapiauthentication gssapidelegatecredentials hashknownhosts
  hostbasedacceptedalgorithms hostbasedauthentication hostkeyalgorithms hostkeyalias identitiesonly identityagent
  ignoreunknown ipqos kbdinteractiveauthentication kbdinteractivedevices kexalgorithms knownhostscommand localcommand
  logverbose macs nohostauthenticationforlocalhost numberofpasswordprompts obscurekeystroketiming passwordauthentication
  pkcs11provider preferredauthentications proxyusefdpass pubkeyacceptedalgorithms pubkeyauthentication rekeylimit
  requiredrsasize revokedhostkeys securitykeyprovider serveralivecountmax serveraliveinterval streamlocalbindmask
  streamlocalbindunlink stricthostkeychecking syslogfacility tag tcpkeepalive tunneldevice updatehostkeys
  userknownhostsfile verifyhostkeydns visualhostkey warnweakcrypto xauthlocation`.split(/\s+/),
)

/** Of these each line adds something; of all others ssh takes the first value. */
const REPEATABLE = ['dynamicforward', 'identityfile', 'localforward', 'remoteforward', 'sendenv', 'setenv']

/**
 * Does what the arguments of -o ask for, as ssh(1) takes them: 'Keyword=value' or 'Keyword value'.
 * @returns whether all forwardings are to be cleared, and programs on the display trusted, the command line's as well
 * @throws SshjobError 'usage' for what ssh does not know, and for what can't be had here
 */
export function applyKeywords(
  request: SessionRequest,
  settings: readonly string[],
): { clear: boolean; trusted: boolean } {
  const seen = new Set<string>()
  let clear = false
  let trusted = false
  for (const setting of settings) {
    const [, keyword = '', given = ''] = /^\s*(\w+)(?:\s*=\s*|\s+)(.*?)\s*$/s.exec(setting) ?? []
    const value = /^"[^"]*"$/.test(given) ? given.slice(1, -1) : given
    if (value === '') throw usage(`-o takes KEYWORD=VALUE, not '${setting}'.`)
    const name = keyword.toLowerCase()
    if (seen.has(name) && !REPEATABLE.includes(name)) continue
    seen.add(name)
    apply(request, name, value, keyword)
    if (name === 'clearallforwardings') clear = yesOrNo(value, keyword)
    if (name === 'forwardx11trusted') trusted = yesOrNo(value, keyword)
  }
  return { clear, trusted }
}

function apply(request: SessionRequest, name: string, value: string, keyword: string): void {
  const honour = Object.hasOwn(HONOURED, name) ? HONOURED[name] : undefined
  if (honour !== undefined) return honour(request, value, keyword)
  const only = Object.hasOwn(ONLY, name) ? ONLY[name] : undefined
  if (only !== undefined) {
    if (value.toLowerCase() === only.value) return
    throw usage(`-o ${keyword}=${value} can't be had: ${only.instead}.`)
  }
  if (name === 'hostname') {
    if (value === request.job || value === '%h') return
    throw usage(`-o ${keyword}=${value} can't be had: a job is reached by its own name.`)
  }
  if (!WITHOUT_MEANING.has(name)) throw usage(`-o ${keyword}: ssh_config(5) has no such keyword.`)
}

/** @throws SshjobError 'usage' */
export function parseVariable(text: string, option: string): [name: string, value: string] {
  const at = text.indexOf('=')
  if (at < 1) throw usage(`${option} takes NAME=VALUE, not '${text}'.`)
  return [text.slice(0, at), text.slice(at + 1)]
}

function applyLogLevel(request: SessionRequest, value: string, keyword: string): void {
  const levels = [
    'quiet',
    'fatal',
    'error',
    'info',
    'verbose',
    'debug',
    'debug1',
    'debug2',
    'debug3',
  ] as const
  const level = levels.indexOf(oneOf(levels, value, keyword))
  if (level < levels.indexOf('info')) request.quiet = true
  request.verbosity = Math.max(request.verbosity, level - levels.indexOf('info'))
}

function yesOrNo(value: string, keyword: string): boolean {
  return oneOf(['yes', 'no'], value, keyword) === 'yes'
}

function oneOf<Value extends string>(values: readonly Value[], given: string, keyword: string): Value {
  const value = values.find((one) => one === given.toLowerCase())
  if (value !== undefined) return value
  throw usage(`-o ${keyword} takes ${values.join(', ')}, not '${given}'.`)
}

/** In a file, what is forwarded stands behind a space: ssh_config(5), LocalForward. */
function joined(value: string): string {
  return value.trim().replace(/\s+/, ':')
}
