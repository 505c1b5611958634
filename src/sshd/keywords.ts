/** What stands behind a keyword. */
export type Kind =
  | 'flag' // yes or no
  | 'number'
  | 'octal'
  | 'time'
  | 'choice' // one of `values`
  | 'word'
  | 'words' // one or more; the first line counts
  | 'more' // one or more; every line counts
  | 'many' // one; every line counts
  | 'port' // one; every line counts
  | 'address' // one; every line counts
  | 'rest' // the line as it is
  | 'subsystem' // a name, and a command as it is; every line counts
  | 'rekey' // a size, and perhaps a time
  | 'any' // not looked at

export interface Keyword {
  name: string
  /**
   * - honoured: it does what sshd_config(5) says.
   * - accepted: it has nothing to act on here, or grants what is not offered; it never restricts.
   * - refused: it restricts, or is a feature that is not there: an error, but for the values in `only`.
   */
  treatment: 'honoured' | 'accepted' | 'refused'
  kind: Kind
  /** For the table of the manual: what differs, or why. */
  note: string
  /** May stand below Match. */
  match: boolean
  /** As it would be written. Absent: unset. */
  default?: string
  values?: readonly string[]
  only?: readonly string[]
}

interface More {
  match?: boolean
  default?: string
  values?: readonly string[]
  only?: readonly string[]
}

const row =
  (treatment: Keyword['treatment']) =>
  (name: string, kind: Kind, note = '', more: More = {}): Keyword => ({
    name,
    treatment,
    kind,
    note,
    match: false,
    ...more,
  })

const honoured = row('honoured')
const accepted = row('accepted')
const refused = row('refused')
const match = true
const NO_OTHER_METHOD = 'public keys are the only way in'
const NO_LISTENING = 'the connection is there already'
const CERTIFICATES = 'certificates are not understood'

/** Every keyword of sshd_config(5). docs/sshd.md has this table; a test compares them. */
export const KEYWORDS: readonly Keyword[] = [
  honoured('AcceptEnv', 'more', 'LD_* never', { match }),
  accepted('AddressFamily', 'word', NO_LISTENING),
  honoured('AllowAgentForwarding', 'flag', '', { match, default: 'yes' }),
  refused('AllowGroups', 'more', 'the groups of a name are not looked up', { match }),
  honoured('AllowStreamLocalForwarding', 'choice', '', {
    match,
    default: 'yes',
    values: ['yes', 'all', 'no', 'local', 'remote'],
  }),
  honoured('AllowTcpForwarding', 'choice', '', {
    match,
    default: 'yes',
    values: ['yes', 'all', 'no', 'local', 'remote'],
  }),
  honoured('AllowUsers', 'more', 'see [who logs in](#who-logs-in)', { match }),
  refused('AuthenticationMethods', 'words', 'but for `any` and `publickey`', {
    match,
    default: 'any',
    only: ['any', 'publickey'],
  }),
  refused('AuthorizedKeysCommand', 'words', 'but for `none`', { match, default: 'none', only: ['none'] }),
  accepted('AuthorizedKeysCommandUser', 'word', 'there is no such command', { match }),
  honoured('AuthorizedKeysFile', 'words', 'with `%h`, `%u`, `%U`, `%%`', {
    match,
    default: '.ssh/authorized_keys .ssh/authorized_keys2',
  }),
  refused('AuthorizedPrincipalsCommand', 'words', 'but for `none`', {
    match,
    default: 'none',
    only: ['none'],
  }),
  accepted('AuthorizedPrincipalsCommandUser', 'word', 'there is no such command', { match }),
  refused('AuthorizedPrincipalsFile', 'word', 'but for `none`', { match, default: 'none', only: ['none'] }),
  honoured('Banner', 'word', '', { match, default: 'none' }),
  accepted('CASignatureAlgorithms', 'word', CERTIFICATES, { match }),
  refused('ChannelTimeout', 'words', 'but for `none`', { match, default: 'none', only: ['none'] }),
  refused('ChrootDirectory', 'word', 'but for `none`', { match, default: 'none', only: ['none'] }),
  honoured('Ciphers', 'word', 'of those that sshjob has'),
  honoured('ClientAliveCountMax', 'number', '', { match, default: '3' }),
  honoured('ClientAliveInterval', 'time', '', { match, default: '0' }),
  accepted('Compression', 'choice', 'none is offered', { values: ['yes', 'no', 'delayed'], default: 'no' }),
  accepted('DebianBanner', 'flag', 'nothing of Debian is told'),
  refused('DenyGroups', 'more', 'the groups of a name are not looked up', { match }),
  honoured('DenyUsers', 'more', 'see [who logs in](#who-logs-in)', { match }),
  honoured('DisableForwarding', 'flag', '', { match, default: 'no' }),
  honoured('ExposeAuthInfo', 'flag', '', { match, default: 'no' }),
  accepted('FingerprintHash', 'word', 'the log has SHA256'),
  honoured('ForceCommand', 'rest', '', { match, default: 'none' }),
  honoured('GatewayPorts', 'choice', '', { match, default: 'no', values: ['yes', 'no', 'clientspecified'] }),
  accepted('GSSAPIAuthentication', 'flag', NO_OTHER_METHOD, { match }),
  accepted('GSSAPICleanupCredentials', 'flag', NO_OTHER_METHOD),
  accepted('GSSAPIKexAlgorithms', 'word', NO_OTHER_METHOD),
  accepted('GSSAPIKeyExchange', 'flag', NO_OTHER_METHOD),
  accepted('GSSAPIStoreCredentialsOnRekey', 'flag', NO_OTHER_METHOD),
  accepted('GSSAPIStrictAcceptorCheck', 'flag', NO_OTHER_METHOD),
  accepted('HostbasedAcceptedAlgorithms', 'word', NO_OTHER_METHOD, { match }),
  accepted('HostbasedAuthentication', 'flag', NO_OTHER_METHOD, { match }),
  accepted('HostbasedUsesNameFromPacketOnly', 'flag', NO_OTHER_METHOD, { match }),
  refused('HostCertificate', 'many', CERTIFICATES),
  honoured('HostKey', 'many', 'ed25519, ecdsa and rsa, without a passphrase'),
  refused('HostKeyAgent', 'word', 'but for `none`', { default: 'none', only: ['none'] }),
  honoured('HostKeyAlgorithms', 'word', 'of those that sshjob has'),
  accepted('IgnoreRhosts', 'word', NO_OTHER_METHOD, { match }),
  accepted('IgnoreUserKnownHosts', 'flag', NO_OTHER_METHOD),
  honoured('Include', 'any', '', { match }),
  accepted('IPQoS', 'words', 'the connection is there already', { match }),
  accepted('KbdInteractiveAuthentication', 'flag', NO_OTHER_METHOD, { match }),
  accepted('KerberosAuthentication', 'flag', NO_OTHER_METHOD, { match }),
  accepted('KerberosGetAFSToken', 'flag', NO_OTHER_METHOD),
  accepted('KerberosOrLocalPasswd', 'flag', NO_OTHER_METHOD),
  accepted('KerberosTicketCleanup', 'flag', NO_OTHER_METHOD),
  honoured('KexAlgorithms', 'word', 'of those that sshjob has'),
  accepted('ListenAddress', 'address', NO_LISTENING),
  honoured('LoginGraceTime', 'time', '', { default: '120' }),
  honoured('LogLevel', 'choice', 'QUIET to DEBUG3', {
    match,
    default: 'INFO',
    values: ['QUIET', 'FATAL', 'ERROR', 'INFO', 'VERBOSE', 'DEBUG', 'DEBUG1', 'DEBUG2', 'DEBUG3'],
  }),
  accepted('LogVerbose', 'words', "the log is not OpenSSH's"),
  honoured('MACs', 'word', 'of those that sshjob has'),
  honoured('Match', 'any', 'by `User`, `Host`, `Address`, `LocalAddress`, `LocalPort`, `RDomain`, `all`', {
    match,
  }),
  honoured('MaxAuthTries', 'number', '', { match, default: '6' }),
  honoured('MaxSessions', 'number', '', { match, default: '10' }),
  accepted('MaxStartups', 'word', NO_LISTENING),
  accepted('ModuliFile', 'word', 'no group exchange is offered'),
  accepted('PasswordAuthentication', 'flag', NO_OTHER_METHOD, { match }),
  accepted('PermitEmptyPasswords', 'flag', NO_OTHER_METHOD, { match }),
  honoured('PermitListen', 'words', '', { match, default: 'any' }),
  honoured('PermitOpen', 'words', '', { match, default: 'any' }),
  honoured('PermitRootLogin', 'choice', 'where the server runs as root', {
    match,
    default: 'prohibit-password',
    values: ['yes', 'no', 'prohibit-password', 'without-password', 'forced-commands-only'],
  }),
  honoured('PermitTTY', 'flag', '', { match, default: 'yes' }),
  accepted('PermitTunnel', 'choice', 'there are no tunnels', {
    match,
    values: ['yes', 'no', 'point-to-point', 'ethernet'],
  }),
  honoured('PermitUserEnvironment', 'word', '`environment=` of keys; `~/.ssh/environment` is not read', {
    default: 'no',
  }),
  accepted('PermitUserRC', 'flag', '`~/.ssh/rc` is not run: a session is in the job, not at a login', {
    match,
  }),
  accepted('PerSourceMaxStartups', 'word', NO_LISTENING),
  accepted('PerSourceNetBlockSize', 'word', NO_LISTENING),
  accepted('PidFile', 'word', 'sshd writes none for one connection either'),
  accepted('Port', 'port', NO_LISTENING),
  accepted('PrintLastLog', 'flag', 'nobody logs in'),
  accepted('PrintMotd', 'flag', "the job's own greeting, if it has one"),
  honoured('PubkeyAcceptedAlgorithms', 'word', 'of those that sshjob has', { match }),
  honoured('PubkeyAuthentication', 'flag', '', { match, default: 'yes' }),
  refused('PubkeyAuthOptions', 'words', 'but for `none`: FIDO keys are not understood', {
    match,
    default: 'none',
    only: ['none'],
  }),
  refused('RDomain', 'word', 'routing domains are not on Linux', { match }),
  honoured('RekeyLimit', 'rekey', 'without one, after 1 GiB or an hour', { match, default: 'default none' }),
  honoured('RequiredRSASize', 'number', '', { match, default: '1024' }),
  refused('RevokedKeys', 'word', 'but for `none`', { match, default: 'none', only: ['none'] }),
  accepted('SecurityKeyProvider', 'word', 'FIDO keys are not understood'),
  honoured('SetEnv', 'words', '', { match }),
  accepted('StreamLocalBindMask', 'octal', 'always 0177', { match }),
  honoured('StreamLocalBindUnlink', 'flag', '', { match, default: 'no' }),
  honoured('StrictModes', 'flag', '', { default: 'yes' }),
  honoured('Subsystem', 'subsystem', 'our own in place of an sftp-server that is not there'),
  accepted('SyslogFacility', 'word', 'the log goes to stderr or a file'),
  accepted('TCPKeepAlive', 'flag', 'the connection is there already'),
  refused('TrustedUserCAKeys', 'word', 'but for `none`', { match, default: 'none', only: ['none'] }),
  honoured('UnusedConnectionTimeout', 'time', '', { match, default: 'none' }),
  accepted('UseDNS', 'flag', 'names are not looked up'),
  refused('UsePAM', 'flag', 'but for `no`: PAM could refuse an account, and is not asked', {
    default: 'no',
    only: ['no'],
  }),
  accepted('VersionAddendum', 'rest', 'the version is our own'),
  honoured('X11DisplayOffset', 'number', '', { match, default: '10' }),
  honoured('X11Forwarding', 'flag', '', { match, default: 'no' }),
  accepted('X11MaxDisplays', 'number', 'as many as there are', { match }),
  honoured('X11UseLocalhost', 'flag', '', { match, default: 'yes' }),
  accepted('XAuthLocation', 'word', 'xauth is not needed'),
]

/** Keywords that sshd itself takes for others … */
const ALIASES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    hostdsakey: 'HostKey',
    dsaauthentication: 'PubkeyAuthentication',
    challengeresponseauthentication: 'KbdInteractiveAuthentication',
    skeyauthentication: 'KbdInteractiveAuthentication',
    pubkeyacceptedkeytypes: 'PubkeyAcceptedAlgorithms',
    hostbasedacceptedkeytypes: 'HostbasedAcceptedAlgorithms',
    keepalive: 'TCPKeepAlive',
  }),
)

/** … and those that it has not had for years, and passes over. */
const DEPRECATED = [
  ...['protocol', 'useprivilegeseparation', 'rsaauthentication', 'rhostsauthentication', 'uselogin'],
  ...[
    'rhostsrsaauthentication',
    'serverkeybits',
    'keyregenerationinterval',
    'authorizedkeysfile2',
    'checkmail',
  ],
  ...['verifyreversemapping', 'reversemappingcheck', 'pamauthenticationviakbdint', 'afstokenpassing'],
  ...['authorizedkeyscommandrunas', 'gssapitrustdns', 'gssapienablemitmattack', 'gssusesessionccache'],
]

const BY_NAME = new Map(KEYWORDS.map((keyword) => [keyword.name.toLowerCase(), keyword]))

/** Undefined for one that sshd does not know either. */
export function findKeyword(name: string): Keyword | 'deprecated' | undefined {
  const lower = name.toLowerCase()
  if (DEPRECATED.includes(lower)) return 'deprecated'
  return BY_NAME.get((ALIASES.get(lower) ?? lower).toLowerCase())
}
