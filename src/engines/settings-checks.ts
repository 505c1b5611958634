import { type Check, name, options } from '../core/check-options.js'
import { engines } from './engines.js'

/** What the settings of each engine have to be, for calls of the library that take them. */
export const SETTINGS_CHECKS: Readonly<Record<string, Check>> = Object.fromEntries(
  engines.flatMap((engine) => {
    const flags = Object.keys(engine.flags)
    if (flags.length === 0) return []
    const checks = Object.fromEntries(flags.map((flag) => [flag, name]))
    return [[engine.name, options<Record<string, string>>(checks)] as const]
  }),
)
