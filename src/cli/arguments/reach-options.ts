import type { SessionTarget } from '../session/open-session.js'
import { readEngineOptions } from './engine-options.js'
import { type OptionSpec, usage } from './options.js'

/** How a job is reached: the options of every command that enters one, beside FIND_OPTIONS. */
export const REACH_OPTIONS = {
  wait: {
    value: 'SECONDS',
    optional: true,
    help: 'while the job has not started, keep trying (for so long; else for ever)',
  },
  'proxy-command': { value: 'CMD', help: 'reach the job through the input and output of CMD; %h is JOB' },
} satisfies Record<string, OptionSpec>

/** What was given of them, and of FIND_OPTIONS. @throws SshjobError 'usage' */
export function readReach(
  given: readonly { name: string; value: string | undefined }[],
  ofEngines: readonly { name: string; value: string | undefined }[],
): Pick<SessionTarget, 'waitMs' | 'proxyCommand' | 'engines'> {
  const last = (wanted: keyof typeof REACH_OPTIONS) => given.findLast(({ name }) => name === wanted)
  const [wait, proxyCommand] = [last('wait'), last('proxy-command')]
  return {
    waitMs: wait === undefined ? 0 : parseWait(wait.value ?? ''),
    proxyCommand: proxyCommand === undefined ? undefined : parseProxyCommand(proxyCommand.value ?? ''),
    engines: readEngineOptions(ofEngines),
  }
}

/** @throws SshjobError 'usage' */
export function parseProxyCommand(value: string): string {
  if (value.trim() === '') throw usage('--proxy-command needs a command.')
  return value
}

/** In milliseconds. @throws SshjobError 'usage' */
export function parseWait(value: string): number {
  if (value === '') return Number.POSITIVE_INFINITY
  const seconds = Number(value)
  if (!/^\d+(\.\d+)?$/.test(value) || !Number.isFinite(seconds)) {
    throw usage(`--wait takes a number of seconds, as in --wait=60, not '${value}'.`)
  }
  return seconds * 1_000
}
