import {
  ENVIRONMENT_TEXT_MAX,
  NODE_ADDRESS_SPACE_MIN,
  NODE_DATA_MIN,
  NODE_FILES_MIN,
  NODE_PROCESSES_MIN,
  NODE_START_DEADLINE_SECONDS,
} from '../../../core/limits.js'
import type { OptionSpec, OptionTable } from '../../arguments/options.js'
import { SERVER_OPTIONS } from '../settings.js'

const LIMITS = {
  ENVIRONMENT_TEXT_MAX,
  NODE_ADDRESS_SPACE_MIN,
  NODE_DATA_MIN,
  NODE_FILES_MIN,
  NODE_PROCESSES_MIN,
  NODE_START_DEADLINE_SECONDS,
}

/** With them no job is run; wrapper.sh leaves such calls to the server. */
const OTHER_MODES: readonly string[] = ['inetd', 'help', 'version']

/**
 * The shell script that stands in front of a job: what the build puts into dist/sshjob-server.
 * @param template wrapper.sh
 * @throws Error if it asks for what there is not
 */
export function wrapperScript(template: string): string {
  const values: Record<string, string> = optionPatterns(SERVER_OPTIONS)
  for (const [name, limit] of Object.entries(LIMITS)) values[name] = String(limit)
  return template.replaceAll(/@([A-Z_]+)@/g, (_, name: string) => {
    const value = values[name]
    if (value === undefined) throw new Error(`wrapper.sh asks for @${name}@, which there is not.`)
    return value
  })
}

/** Patterns of `case` for the options that may stand before a job: without a value, with it in the next word, in the same. */
function optionPatterns(table: OptionTable<string>): { FLAGS: string; VALUES: string; WITH_VALUES: string } {
  const options = Object.entries<OptionSpec>(table).filter(([name]) => !OTHER_MODES.includes(name))
  const flags = options.filter(([, { value, optional }]) => value === undefined || optional === true)
  const values = options.filter(([, { value, optional }]) => value !== undefined && optional !== true)
  const words = ([name, { short }]: [string, OptionSpec]): string[] => [
    `--${name}`,
    ...(short === undefined ? [] : [`-${short}`]),
  ]
  const joined = [
    ...options.filter(([, { value }]) => value !== undefined).map(([name]) => `--${name}=*`),
    ...values.flatMap(([, { short }]) => (short === undefined ? [] : [`-${short}?*`])),
  ]
  return {
    FLAGS: flags.flatMap(words).join(' | '),
    VALUES: values.flatMap(words).join(' | '),
    WITH_VALUES: joined.join(' | '),
  }
}
