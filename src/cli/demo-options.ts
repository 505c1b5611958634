import type { OptionTable } from './arguments/options.js'

export const DEMO_OPTIONS = { help: { short: 'h', help: 'print this' } } satisfies OptionTable<string>
