import { type Negotiated, offer } from '../../../src/ssh/algorithms.js'
import { fasterOffer } from '../../../src/ssh/faster-ciphers.js'
import type { KexInit } from '../../../src/ssh/kexinit.js'

const CHACHA = 'chacha20-poly1305@openssh.com'
const GCM = 'aes256-gcm@openssh.com'
const OURS = offer(['ssh-ed25519'])

function kexinit(cs: string, sc: string): KexInit {
  const ciphers = { cs: cs.split(','), sc: sc.split(',') }
  return { kex: ['curve25519-sha256'], hostKeys: ['ssh-ed25519'], ciphers, guess: false }
}

function negotiated(cs: string, sc: string): Negotiated {
  const way = (cipher: string) => ({ cipher, mac: '', compress: 'none' })
  return { kex: 'curve25519-sha256', serverHostKey: 'ssh-ed25519', cs: way(cs), sc: way(sc) }
}

describe('what is offered in place of ChaCha20', () => {
  it('is AES-GCM alone, to a peer that has it too', () => {
    const both = `${CHACHA},aes128-ctr,${GCM}`
    const faster = fasterOffer(OURS, kexinit(both, both), negotiated(CHACHA, CHACHA))
    const cipher = [GCM]
    expect(faster).toEqual({ ...OURS, cs: { ...OURS.cs, cipher }, sc: { ...OURS.sc, cipher } })
  })

  it('differs only in the direction in which that helps', () => {
    const faster = fasterOffer(OURS, kexinit(CHACHA, `${CHACHA},${GCM}`), negotiated(CHACHA, CHACHA))
    expect(faster?.cs).toBe(OURS.cs)
    expect(faster?.sc.cipher).toEqual([GCM])
  })

  it.each([
    ['to a peer that has nothing faster', offer(['ssh-ed25519']), `${CHACHA},aes128-ctr`, CHACHA],
    ['where another cipher was chosen', OURS, `${GCM},${CHACHA}`, GCM],
    [
      'where ours may be no other',
      offer(['ssh-ed25519'], { kex: [], macs: [], signatures: [], ciphers: [CHACHA] }),
      `${CHACHA},${GCM}`,
      CHACHA,
    ],
  ])('is nothing %s', (_where, ours, theirs, chosen) => {
    expect(fasterOffer(ours, kexinit(theirs, theirs), negotiated(chosen, chosen))).toBeUndefined()
  })
})
