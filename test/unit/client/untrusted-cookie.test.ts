import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { untrustedCookies } from '../../../src/client/forwarding/untrusted-cookie.js'
import { X11_UNTRUSTED_RENEWAL_MS, X11_UNTRUSTED_S } from '../../../src/core/limits.js'
import { encodeXauthority } from '../../../src/server/forwarding/xauthority.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

describe('untrusted cookies of a display', () => {
  const folder = temporaryDirectory()
  const file = (name: string): string => join(folder(), name)
  const path = process.env.PATH
  const cookie = (name: string): Buffer => Buffer.from(name.padEnd(16))

  /** In the place of xauth(1): puts one cookie after the other into the file that it is told. */
  beforeEach(() => {
    for (const name of ['1', '2']) {
      const entry = { display: 7, hostname: 'node7', protocol: 'MIT-MAGIC-COOKIE-1', cookie: cookie(name) }
      writeFileSync(file(name), encodeXauthority(entry))
    }
    const script = `#!/bin/sh
cd ${folder()} && echo "$XAUTHORITY $*" >>calls && cp "$(wc -l <calls)" "$3"`
    writeFileSync(file('xauth'), script, { mode: 0o755 })
    process.env.PATH = `${folder()}:${path}`
  })
  afterEach(() => {
    process.env.PATH = path
    jest.restoreAllMocks()
  })

  it('are made anew before they are too old, by what the display knows us by', async () => {
    const cookies = await untrustedCookies({ display: ':7', authorityFile: '/authority' })
    expect(await cookies()).toEqual(cookie('1'))
    expect(await cookies()).toEqual(cookie('1'))
    const later = Date.now() + X11_UNTRUSTED_RENEWAL_MS + 1
    jest.spyOn(Date, 'now').mockReturnValue(later)
    expect(await cookies()).toEqual(cookie('2'))
    expect(await cookies()).toEqual(cookie('2'))
    const calls = readFileSync(file('calls'), 'utf8').trim().split('\n')
    expect(calls).toHaveLength(2)
    expect(calls[0]).toMatch(
      new RegExp(
        `^/authority -q -f \\S+/Xauthority generate :7 MIT-MAGIC-COOKIE-1 untrusted timeout ${X11_UNTRUSTED_S}$`,
      ),
    )
    expect(X11_UNTRUSTED_RENEWAL_MS).toBeLessThan(X11_UNTRUSTED_S * 1_000)
  })
})
