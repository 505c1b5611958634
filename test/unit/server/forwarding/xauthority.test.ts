import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeXauthority } from '../../../../src/server/forwarding/xauthority.js'
import { describeWith } from '../../../helpers/needs.js'
import { runProgram } from '../../../helpers/programs.js'
import { temporaryDirectory } from '../../../helpers/temporary-directory.js'

const entry = {
  display: 10,
  hostname: 'node7',
  protocol: 'MIT-MAGIC-COOKIE-1',
  cookie: Buffer.from('00112233445566778899aabbccddeeff', 'hex'),
}

describe('a file of Xauthority', () => {
  it('has an entry for the host, byte for byte as libXau writes it', () => {
    const rest = `0002${Buffer.from('10').toString('hex')}0012${Buffer.from(entry.protocol).toString('hex')}0010${entry.cookie.toString('hex')}`
    const hostname = Buffer.from(entry.hostname).toString('hex')
    expect(encodeXauthority(entry).toString('hex')).toBe(
      `01000005${hostname}${rest}00000004${'7f000001'}${rest}ffff0000${rest}`,
    )
  })
})

describeWith(['xauth'], 'a file of Xauthority, read by xauth', () => {
  const directory = temporaryDirectory()

  it('has the cookie of its display', async () => {
    const file = join(directory(), 'Xauthority')
    writeFileSync(file, encodeXauthority(entry), { mode: 0o600 })
    const { stdout } = await runProgram('xauth', ['-n', '-f', file, 'list'])
    expect(stdout).toContain('node7/unix:10  MIT-MAGIC-COOKIE-1  00112233445566778899aabbccddeeff\n')
    expect(stdout.trim().split('\n')).toHaveLength(3)
  })
})
