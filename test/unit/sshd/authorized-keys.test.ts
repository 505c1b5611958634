import { generateKey, parseKey } from '../../../src/ssh/keys.js'
import { parseAuthorizedKeys } from '../../../src/sshd/authorized-keys.js'
import { parseExpiry } from '../../../src/sshd/expiry.js'
import { parseKeyOptions } from '../../../src/sshd/key-options.js'

const { publicKey } = generateKey()
const blob = parseKey(publicKey).getPublicSSH()

describe('a file of keys', () => {
  it('has keys with and without options and comments', () => {
    const text = [
      '# a comment',
      '',
      publicKey,
      `  ${publicKey} alice@example.org and more`,
      `restrict ${publicKey}`,
      `command="echo \\"a b\\" # c",no-pty ${publicKey} c`,
      `from="10.0.0.0/8,!10.1.*"\t${publicKey}`,
    ].join('\r\n')
    const { keys, unusable } = parseAuthorizedKeys(text)
    expect(unusable).toEqual([])
    expect(keys.map(({ line }) => line)).toEqual([3, 4, 5, 6, 7])
    expect(keys.every((key) => key.blob.equals(blob))).toBe(true)
    expect(keys[3]?.options).toMatchObject({ command: 'echo "a b" # c', pty: false, portForwarding: true })
    expect(keys[4]?.options.from).toEqual(['10.0.0.0/8', '!10.1.*'])
  })

  it.each([
    ['nonsense', 'there is no key in it that is known here'],
    ['ssh-ed25519 AAAA', 'there is no key in it that is known here'],
    [`ssh-rsa ${publicKey.split(' ')[1]}`, 'there is no key in it that is known here'],
    [`cert-authority ${publicKey}`, 'its option cert-authority is not supported'],
    [`cert-authority,principals="a" ${publicKey}`, 'its option cert-authority is not supported'],
    [`verify-required ${publicKey}`, 'its option verify-required is not supported'],
    [`invented ${publicKey}`, 'its option invented is not supported'],
    [`constructor ${publicKey}`, 'its option constructor is not supported'],
    [`command="a",command="b" ${publicKey}`, 'it has more than one command'],
    [
      `command="internal-sftp -R" ${publicKey}`,
      'internal-sftp is served by sshjob-server, which has no option -R',
    ],
    [`expiry-time="soon" ${publicKey}`, "its expiry-time 'soon' is no time"],
    [`permitopen="here" ${publicKey}`, "its permitopen 'here' is no host and port"],
    [`command="a ${publicKey}`, 'there is no key in it that is known here'],
    [`command=a ${publicKey}`, "its options can't be read at 'command=a'"],
    [`restrict="a" ${publicKey}`, 'its option restrict is not supported'],
    [`from="*,!10.0.0.1/8" ${publicKey}`, "its from '*,!10.0.0.1/8' has bits set behind a mask"],
  ])('does not let anybody in by %j', (line, reason) => {
    const { keys, unusable } = parseAuthorizedKeys(line)
    expect(keys).toEqual([])
    expect(unusable).toEqual([{ line: 1, reason }])
  })

  it('allows what follows restrict', () => {
    expect(parseKeyOptions('restrict,pty,PORT-forwarding')).toMatchObject({
      pty: true,
      portForwarding: true,
      agentForwarding: false,
      x11Forwarding: false,
    })
    expect(parseKeyOptions('pty,restrict')).toMatchObject({ pty: false })
  })

  it('adds up what may be there more than once', () => {
    const options = parseKeyOptions(
      'permitopen="a:1",permitopen="b:*",permitlisten="80",environment="A=1",environment="A=2"',
    )
    expect(options).toMatchObject({ permitOpen: ['a:1', 'b:*'], permitListen: ['80'] })
    expect(typeof options === 'string' ? options : [...options.environment]).toEqual([['A', '1']])
  })
})

describe('an expiry time', () => {
  it.each([
    ['20380101Z', Date.UTC(2038, 0, 1)],
    ['203801011230Z', Date.UTC(2038, 0, 1, 12, 30)],
    ['20380101123059Z', Date.UTC(2038, 0, 1, 12, 30, 59)],
    ['20380101', new Date(2038, 0, 1).getTime()],
    ['20380231', undefined],
    ['20381301', undefined],
    ['2038010125', undefined],
    ['203801012560', undefined],
    ['', undefined],
    ['-1', undefined],
  ])('%j', (text, time) => {
    expect(parseExpiry(text)).toBe(time)
  })
})
