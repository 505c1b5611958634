import type { OptionSpec } from '../arguments/options.js'

/** An option of ssh(1), which is taken for the sake of programs that pass it. */
export interface SshOption extends OptionSpec {
  /** Present: why it is refused, and what to do; its absence means that it changes nothing. */
  refusal?: string
}

/**
 * Options of ssh(1) that have no meaning on the way to a job, where there is no network, and no key that was there
 * before: git, rsync, scp, sshfs, unison and their kin pass some. Not in the help, which would be twice as long.
 */
export const SSH_OPTIONS = {
  ipv4: { short: '4', help: 'IPv4 only' },
  ipv6: { short: '6', help: 'IPv6 only' },
  'protocol-2': { short: '2', help: 'the second version of SSH' },
  compress: { short: 'C', help: 'compression' },
  gssapi: { short: 'K', help: 'GSSAPI' },
  'no-gssapi': { short: 'k', help: 'no GSSAPI' },
  master: { short: 'M', help: 'a connection that others share' },
  'control-path': { short: 'S', value: 'PATH', help: 'the socket of such a one' },
  syslog: { short: 'y', help: 'notes to syslog' },
  'bind-address': { short: 'b', value: 'ADDRESS', help: 'the address to connect from' },
  'bind-interface': { short: 'B', value: 'INTERFACE', help: 'the interface to connect from' },
  ciphers: { short: 'c', value: 'CIPHERS', help: 'ciphers' },
  macs: { short: 'm', value: 'MACS', help: 'MACs' },
  config: { short: 'F', value: 'FILE', help: 'a configuration of ssh' },
  background: { short: 'f', help: 'go into the background', refusal: 'end the line with & instead' },
  'gateway-ports': {
    short: 'g',
    help: 'forward for other hosts',
    refusal: "say where to listen, as in -L '*:8080:localhost:80'",
  },
  jump: {
    short: 'J',
    value: 'HOST',
    help: 'a host on the way',
    refusal: "run sshjob there: 'ssh -t HOST sshjob JOB'",
  },
  control: {
    short: 'O',
    value: 'COMMAND',
    help: 'control a shared connection',
    refusal: 'connections are not shared',
  },
  tunnel: {
    short: 'w',
    value: 'TUN',
    help: 'a network device',
    refusal: 'forward single ports, with -L, -R or -D',
  },
} satisfies Record<string, SshOption>
