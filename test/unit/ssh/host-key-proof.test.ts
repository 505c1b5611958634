import { announceHostKeys, proveHostKeys } from '../../../src/ssh/host-key-proof.js'
import {
  generateEcdsaKey,
  generateKey,
  generateRsaKey,
  type ParsedKey,
  parseKey,
} from '../../../src/ssh/keys.js'
import { Reader, string } from '../../../src/ssh/wire.js'

const session = { sessionId: Buffer.from('the session'), algorithm: 'ssh-ed25519' }
const ours = [generateKey(), generateRsaKey(2_048), generateEcdsaKey()].map(({ privateKey }) =>
  parseKey(privateKey),
)
const ed25519 = ours[0] ?? parseKey('')
const asking = (...keys: readonly ParsedKey[]): Reader =>
  new Reader(Buffer.concat(keys.map((key) => string(key.getPublicSSH()))))

it('an announcement names every key', () => {
  const { name, data } = announceHostKeys(ours)
  expect(name).toBe('hostkeys-00@openssh.com')
  expect(data).toEqual(ours.map((key) => string(key.getPublicSSH())))
})

describe('the proof that we have a host key', () => {
  it("is a signature of each, of this session and nothing else: OpenSSH's PROTOCOL, section 2.5", () => {
    const answer = proveHostKeys(asking(ed25519), [ed25519], session)
    if (answer === false) throw new Error('no proof')
    const signature = new Reader(new Reader(answer).string())
    expect(signature.text()).toBe('ssh-ed25519')
    const signed = [string('hostkeys-prove-00@openssh.com'), string('the session')]
    const data = Buffer.concat([...signed, string(ed25519.getPublicSSH())])
    expect(ed25519.verify(data, signature.string())).toBe(true)
  })

  it.each([
    ['rsa-sha2-256', 'rsa-sha2-256'],
    ['rsa-sha2-512', 'rsa-sha2-512'],
    ['ssh-ed25519', 'rsa-sha2-512'],
    ['ssh-rsa', 'rsa-sha2-512'],
  ])('of an RSA key in an exchange that %s has signed is by %s', (algorithm, expected) => {
    const answer = proveHostKeys(asking(...ours), ours, { ...session, algorithm })
    if (answer === false) throw new Error('no proof')
    const reader = new Reader(answer)
    const names = ours.map(() => new Reader(reader.string()).text())
    expect(names).toEqual(['ssh-ed25519', expected, 'ecdsa-sha2-nistp256'])
    expect(reader.remaining).toBe(0)
  })

  it('is given for no key but ours, and for none where one of them is not', () => {
    const another = parseKey(generateKey().privateKey)
    expect(proveHostKeys(asking(another), [ed25519], session)).toBe(false)
    expect(proveHostKeys(asking(ed25519, another), [ed25519], session)).toBe(false)
  })

  it('is not given more often than there are keys: a client that asks costs a signature each time', () => {
    expect(proveHostKeys(asking(ed25519), [ed25519], session)).not.toBe(false)
    expect(proveHostKeys(asking(ed25519, ed25519), [ed25519], session)).toBe(false)
  })
})
