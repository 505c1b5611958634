import type { OptionTable } from '../arguments/options.js'

export const HTCONDOR_OPTIONS = {
  prefix: { value: 'DIR', help: 'install: where the copy goes (default /usr/local/lib/sshjob)' },
  'dry-run': { help: 'install, uninstall: say what would be done' },
  help: { short: 'h', help: 'print this' },
} satisfies OptionTable<string>
