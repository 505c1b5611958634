import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ownModule } from '../core/own-module.js'

/** The part of koffi that is made for this platform, a package of its own. */
export const KOFFI_PLATFORM = `@koromix/koffi-${process.platform}-${process.arch}`

/**
 * The directory of that package, inside of koffi's or beside it, as npm likes it; undefined where it is not installed.
 * @param from as ownModule() has it
 */
export function koffiPlatform(from: string): string | undefined {
  const koffi = ownModule('koffi', from)
  const nested = koffi && join(koffi, 'node_modules', KOFFI_PLATFORM)
  return nested && existsSync(nested) ? nested : ownModule(KOFFI_PLATFORM, from)
}
