import { findCookie } from '../../../src/client/forwarding/xauthority.js'

const INTERNET = 0
const INTERNET6 = 6
const LOCAL = 256
const WILD = 65_535
const MIT = 'MIT-MAGIC-COOKIE-1'

function uint16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff])
}

/** One entry, as libXau writes it. */
function entry(
  family: number,
  address: string | number[],
  number: string,
  cookie: string,
  protocol = MIT,
): Buffer {
  const fields = [Buffer.from(address), Buffer.from(number), Buffer.from(protocol), Buffer.from(cookie)]
  return Buffer.concat([uint16(family), ...fields.flatMap((field) => [uint16(field.length), field])])
}

const file = Buffer.concat([
  entry(LOCAL, 'other', '0', 'of another host'),
  entry(LOCAL, 'here', '0', 'another protocol', 'XDM-AUTHORIZATION-1'),
  entry(LOCAL, 'here', '1', 'number 1'),
  entry(LOCAL, 'here', '0', 'local'),
  entry(INTERNET, [192, 0, 2, 7], '0', 'by address'),
  entry(INTERNET6, [0x20, 1, 0xd, 0xb8, ...Array<number>(11).fill(0), 1], '0', 'by address of IPv6'),
  entry(INTERNET, [192, 0, 2, 8], '', 'every display of a host'),
  entry(WILD, '', '9', 'every host'),
])

describe('the cookie of a display', () => {
  it.each([
    [{ number: 0, address: undefined }, 'local'],
    [{ number: 1, address: undefined }, 'number 1'],
    [{ number: 0, address: '127.0.0.1' }, 'local'],
    [{ number: 0, address: '::1' }, 'local'],
    [{ number: 0, address: '::ffff:127.0.0.1' }, 'local'],
    [{ number: 0, address: '192.0.2.7' }, 'by address'],
    [{ number: 0, address: '2001:db8::1' }, 'by address of IPv6'],
    [{ number: 5, address: '192.0.2.8' }, 'every display of a host'],
    [{ number: 9, address: '192.0.2.9' }, 'every host'],
    [{ number: 9, address: undefined }, 'every host'],
    [{ number: 2, address: undefined }, undefined],
    [{ number: 0, address: '192.0.2.9' }, undefined],
  ])('of %j is %j', (display, cookie) => {
    expect(findCookie(file, { ...display, hostname: 'here' })?.toString()).toBe(cookie)
  })

  it('is found before what is broken, and what is broken is none', () => {
    const wanted = { number: 0, address: undefined, hostname: 'here' }
    for (let length = 0; length <= file.length; length++) {
      const found = findCookie(file.subarray(0, length), wanted)?.toString()
      expect([undefined, 'local']).toContain(found)
    }
    expect(findCookie(Buffer.concat([file, Buffer.alloc(5, 255)]), wanted)?.toString()).toBe('local')
  })
})
