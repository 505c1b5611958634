// Makes the loader look for nothing outside of the directory that it lies in.

/** What ld.so(8) reads whatever it is told: libraries that it names would be run in every process. */
const FILES = ['/etc/ld.so.preload', '/etc/ld.so.cache']
/** Where Debian's loader looks last, by the architecture's name in paths. The names stand one behind the other. */
const directoriesOf = (triplet) => [`/lib/${triplet}/`, `/usr/lib/${triplet}/`, '/lib/', '/usr/lib/']

/** What a sealed loader doesn't know any more. */
export const forgottenNames = (triplet) => [...FILES, ...directoriesOf(triplet)]

/**
 * The loader, with names of the image's files made empty: open(2) finds no file of that name. An image's libraries are
 * for another C library, or a job's that wants to be run by us.
 * @param {Buffer} loader
 * @param {string} triplet of Debian: x86_64-linux-gnu
 */
export function seal(loader, triplet) {
  const sealed = Buffer.from(loader)
  for (const name of FILES) endAt(sealed, findAll(sealed, `\0${name}\0`, 1), name)
  const searched = directoriesOf(triplet)
  const text = searched.map((name) => `${name}\0`).join('')
  const places = findAll(sealed, text, 0)
  let offset = 0
  for (const name of searched) {
    // The loader insists on the slash.
    endAt(
      sealed,
      places.map((at) => at + offset + 1),
      name,
    )
    offset += name.length + 1
  }
  return sealed
}

function findAll(bytes, text, skipped) {
  const found = []
  for (let at = bytes.indexOf(text, 0, 'latin1'); at >= 0; at = bytes.indexOf(text, at + 1, 'latin1'))
    found.push(at + skipped)
  return found
}

function endAt(bytes, places, name) {
  if (places.length === 0) throw new Error(`The loader has no ${name} where it was expected.`)
  for (const at of places) bytes[at] = 0
}
