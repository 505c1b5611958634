import type { HtcondorOptions } from '../engines/engine.js'
import type { OptionSpec } from './options.js'

/** Where a job of HTCondor is looked for: the options of every command that takes a job. */
export const QUEUE_OPTIONS = {
  name: {
    value: 'SCHEDD',
    help: 'HTCondor: the schedd that has the job, if it is not the one of this machine',
  },
  pool: { value: 'HOST', help: 'HTCondor: the central manager that knows the schedd' },
} satisfies Record<string, OptionSpec>

/** What was given of them. */
export function readQueueOptions(
  given: readonly { name: string; value: string | undefined }[],
): HtcondorOptions {
  const valueFor = (name: keyof typeof QUEUE_OPTIONS): string | undefined =>
    given.findLast((option) => option.name === name)?.value
  return { name: valueFor('name'), pool: valueFor('pool') }
}
