import type { OptionTable } from '../arguments/options.js'

export const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]

export const COMPLETION_OPTIONS = { help: { short: 'h', help: 'print this' } } satisfies OptionTable<string>
