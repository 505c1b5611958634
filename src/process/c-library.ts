import { createRequire } from 'node:module'
import type { LibraryHandle } from 'koffi'

let loaded: { library: LibraryHandle | undefined } | undefined

/**
 * The C library of this process, for what Node.js has no call for; undefined where it can't be had, as on a system that
 * koffi has no build for. Loaded when it is first needed: 5 ms.
 */
export function cLibrary(): LibraryHandle | undefined {
  loaded ??= { library: load() }
  return loaded.library
}

function load(): LibraryHandle | undefined {
  try {
    const koffi: typeof import('koffi') = createRequire(import.meta.url)('koffi')
    return koffi.load(null)
  } catch {
    return undefined
  }
}
