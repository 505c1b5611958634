import { OPEN_WAIT_MS } from '../../core/limits.js'
import type { OptionTable } from '../arguments/options.js'
import { REACH_OPTIONS } from '../arguments/reach-options.js'

export const OPEN_OPTIONS = {
  port: { short: 'p', value: 'PORT', help: 'the port here (default: the same, or any that is free)' },
  'no-browser': { help: 'open no browser' },
  ...REACH_OPTIONS,
  wait: {
    value: 'SECONDS',
    optional: true,
    help: `wait for the job to start, and so long for its port (default: ${OPEN_WAIT_MS / 1_000} for the port alone; without a number: for ever)`,
  },
  quiet: { short: 'q', help: 'no notes, only the address and errors' },
  verbose: { short: 'v', help: 'say what happens to the connection' },
  help: { short: 'h', help: 'print this' },
} satisfies OptionTable<string>
