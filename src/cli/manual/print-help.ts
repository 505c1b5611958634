import type { Manual } from './manual.js'

/** Does what `--help` asks for. Manuals are loaded for that alone: a session has no use for them. */
export async function printHelp(loading: Promise<{ manual: Manual }>): Promise<number> {
  const [{ helpText }, { manual }] = await Promise.all([import('./help-text.js'), loading])
  process.stdout.write(helpText(manual))
  return 0
}
