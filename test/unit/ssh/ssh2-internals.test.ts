import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import Protocol from 'ssh2/lib/protocol/Protocol.js'
import utils from 'ssh2/lib/protocol/utils.js'
import { offer } from '../../../src/ssh/algorithms.js'
import { generateKey, parseKey } from '../../../src/ssh/keys.js'

const LIBRARY = join(process.cwd(), 'node_modules/ssh2')
const source = (file: string): string => readFileSync(join(LIBRARY, 'lib/protocol', file), 'utf8')

/** What src/ssh stands on is not ssh2's public API: each of these is why a mend is as it is. */
describe('the ssh2 that is installed', () => {
  it('is the version that the mends were written for', () => {
    const version = (text: string): unknown => JSON.parse(text)
    expect(version(readFileSync(join(LIBRARY, 'package.json'), 'utf8'))).toMatchObject({ version: '1.17.0' })
    expect(version(readFileSync('package.json', 'utf8'))).toMatchObject({ dependencies: { ssh2: '1.17.0' } })
  })

  it('has the fields and functions that the transport takes hold of', () => {
    const written: Buffer[] = []
    const hostKey = parseKey(generateKey().privateKey)
    const protocol = new Protocol({
      server: true,
      ident: 'test',
      offer: offer([hostKey.type]),
      hostKeys: { [hostKey.type]: hostKey },
      onWrite: (data) => void written.push(data),
      onError: () => undefined,
    })
    expect(typeof protocol._onPayload).toBe('function')
    expect(typeof protocol._onHandshakeComplete).toBe('function')
    expect(typeof protocol._destruct).toBe('function')
    expect(protocol._kexinit).toBeUndefined()
    expect(protocol._queue).toBeUndefined()
    expect(protocol._packetRW.write).toMatchObject({ allocStart: 5, allocStartKEX: 5 })
    expect(typeof protocol._cipher.allocPacket).toBe('function')
    expect(typeof utils.sendPacket).toBe('function')
    protocol.start?.()
    protocol.parse(Buffer.from('SSH-2.0-peer\r\n'), 0, 14)
    expect(written[0]?.toString()).toBe('SSH-2.0-test\r\n')
    expect(Buffer.isBuffer(protocol._kexinit)).toBe(true)
    expect(protocol._packetRW.write).toMatchObject({ allocStart: 0, allocStartKEX: 5 })
    protocol.cleanup()
    expect(protocol._destruct).toBeUndefined()
  })

  it('calls our functions through the instance, where we put them', () => {
    expect(source('kex.js')).toContain('onPayload: this._protocol._onPayload')
    expect(source('kex.js')).toContain('this._protocol._onHandshakeComplete(negotiated)')
    expect(source('Protocol.js')).toContain(
      'firstHandshake && this._server && this._kex.remoteExtInfoEnabled',
    )
  })

  it('still takes packets of 35,000 bytes only, for which scripts/mend-ssh2.mjs is', () => {
    expect(source('crypto.js').split('const MAX_PACKET_SIZE = 35000;')).toHaveLength(2)
  })

  it('still lacks a comma in server-sig-algs, for which ours is sent', () => {
    expect(source('Protocol.js')).toMatch(/nistp521'\n\s*\+ 'rsa-sha2-512/)
  })
})
