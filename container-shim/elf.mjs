// What is read of ELF files, and cut off them: elf(5). 64 bits and little-endian, as both of our architectures are.
const HEADER_BYTES = 64
const PROGRAM_HEADER_BYTES = 56
const DYNAMIC_ENTRY_BYTES = 16
const PT_LOAD = 1
const PT_DYNAMIC = 2
const DT_NULL = 0
const DT_NEEDED = 1
const DT_STRTAB = 5
/** e_machine. */
const ARCHITECTURES = { 62: 'x64', 183: 'arm64' }

/** @param {Buffer} file */
export function isElf(file) {
  return file.length >= HEADER_BYTES && file.readUInt32BE(0) === 0x7f454c46
}

/**
 * @param {Buffer} file
 * @returns {string} as process.arch has it
 */
export function architectureOf(file) {
  return ARCHITECTURES[file.readUInt16LE(18)] ?? `machine ${file.readUInt16LE(18)}`
}

/** @param {Buffer} file */
function segmentsOf(file) {
  const first = Number(file.readBigUInt64LE(32))
  return Array.from({ length: file.readUInt16LE(56) }, (_, index) => {
    const at = first + index * PROGRAM_HEADER_BYTES
    return {
      type: file.readUInt32LE(at),
      offset: Number(file.readBigUInt64LE(at + 8)),
      address: Number(file.readBigUInt64LE(at + 16)),
      bytes: Number(file.readBigUInt64LE(at + 32)),
    }
  })
}

/**
 * The shared libraries that the loader will look for: ld.so(8).
 * @param {Buffer} file
 * @returns {string[]}
 */
export function neededBy(file) {
  const segments = segmentsOf(file)
  const dynamic = segments.find(({ type }) => type === PT_DYNAMIC)
  if (dynamic === undefined) return []
  const names = []
  let strings = 0
  for (let at = dynamic.offset; at < dynamic.offset + dynamic.bytes; at += DYNAMIC_ENTRY_BYTES) {
    const tag = Number(file.readBigInt64LE(at))
    const value = Number(file.readBigUInt64LE(at + 8))
    if (tag === DT_NULL) break
    if (tag === DT_NEEDED) names.push(value)
    if (tag === DT_STRTAB) strings = value
  }
  const table = segments.find(
    ({ type, address, bytes }) => type === PT_LOAD && strings >= address && strings < address + bytes,
  )
  if (table === undefined) throw new Error('An ELF file has no table of strings where it says.')
  return names.map((name) => {
    const at = strings - table.address + table.offset + name
    return file.toString('latin1', at, file.indexOf(0, at))
  })
}

/**
 * The file without what is behind its segments: symbols, debugging data and the sections' table, which the kernel and
 * the loader don't look at. As strip(1) does it, but the same on every machine, and for other machines' files as well.
 * @param {Buffer} file
 */
export function stripped(file) {
  const end = Math.max(...segmentsOf(file).map(({ offset, bytes }) => offset + bytes))
  const kept = Buffer.from(file.subarray(0, end))
  kept.writeBigUInt64LE(0n, 40) // e_shoff
  kept.writeUInt16LE(0, 60) // e_shnum
  kept.writeUInt16LE(0, 62) // e_shstrndx
  return kept
}
