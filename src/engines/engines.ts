import type { Engine, FlagValues } from './engine.js'
import { htcondor } from './htcondor/htcondor.js'
import { local } from './local/local.js'

/**
 * All that jobs may be run by: each is a folder here and its line in this table, and whatever else there is of it, such
 * as options, texts and types of settings, comes from that. A name that two of them know is looked up in this order.
 */
const TABLE = [local, htcondor] as const

export const engines: readonly Engine[] = TABLE

type NameIn<E> =
  E extends Engine<infer Name, infer Settings> ? (keyof Settings extends never ? never : Name) : never
/** Of an alias, unlike of an interface, the compiler knows that there is nothing else in it. */
type SettingsIn<E> =
  E extends Engine<string, infer Settings> ? { [Flag in keyof Settings]: Settings[Flag] } : never

/** For jobs of an engine: where to look for them, and what to run in them. */
export type EngineSettings = {
  [E in (typeof TABLE)[number] as NameIn<E>]?: SettingsIn<E>
}

/** The same, by the names of engines. */
export type SettingsByName = Readonly<Record<string, FlagValues | undefined>>
