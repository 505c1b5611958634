import { type EngineSettings, engines } from '../../engines/engines.js'
import type { OptionSpec, OptionTable } from './options.js'

/** What engines want to be told by the user: where a job of theirs is looked for, as options of every command that takes one. */
export const FIND_OPTIONS: OptionTable<string> = optionsOfEngines(true)

/** What is about a session alone. */
export const ENGINE_SESSION_OPTIONS: OptionTable<string> = optionsOfEngines(false)

/** Where two engines have an option of the same name, it is both's. */
function optionsOfEngines(wanted: boolean): OptionTable<string> {
  const options: Record<string, OptionSpec> = {}
  for (const { title, flags } of engines) {
    for (const [name, { value, help, finds }] of Object.entries(flags)) {
      if (finds !== wanted) continue
      const other = options[name]
      options[name] = { value, help: `${other === undefined ? '' : `${other.help}; `}${title}: ${help}` }
    }
  }
  return options
}

/** What was given of them; others are passed over, and the last one counts. */
export function readEngineOptions(
  given: readonly { name: string; value: string | undefined }[],
): EngineSettings {
  return Object.fromEntries(
    engines.flatMap((engine) => {
      const own = given.filter(({ name }) => Object.hasOwn(engine.flags, name))
      return own.length === 0
        ? []
        : [[engine.name, Object.fromEntries(own.map(({ name, value }) => [name, value]))] as const]
    }),
  )
}

/** A table with these options as well, before those that every command has at its end. */
export function withOptions(table: OptionTable<string>, more: OptionTable<string>): OptionTable<string> {
  const entries = Object.entries(table)
  const last = entries.findIndex(([name]) => ['quiet', 'verbose', 'help'].includes(name))
  const at = last < 0 ? entries.length : last
  return Object.fromEntries([...entries.slice(0, at), ...Object.entries(more), ...entries.slice(at)])
}

/** The engines whose jobs can be taken out of a queue. */
export const REMOVING = engines.filter(({ removes }) => removes)
