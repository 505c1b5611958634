import type { OptionTable } from '../arguments/options.js'

/** What `sshjob ssh-config` puts behind the name of a job to make a host of it. */
export const DEFAULT_SUFFIX = '.job'

export const CONFIG_OPTIONS = {
  install: { help: 'write it into ~/.ssh/config, in the place of what was there of it' },
  remove: { help: 'take it out of ~/.ssh/config' },
  file: { short: 'F', value: 'FILE', help: 'another file than ~/.ssh/config' },
  'host-suffix': { value: 'SUFFIX', help: `what follows the name of the job (default: ${DEFAULT_SUFFIX})` },
  'proxy-command': { value: 'CMD', help: 'reach jobs through the input and output of CMD; %h is JOB' },
  help: { short: 'h', help: 'print this' },
} satisfies OptionTable<string>

export const PROXY_OPTIONS = {
  'host-suffix': {
    value: 'SUFFIX',
    help: `what may follow the name of the job (default: ${DEFAULT_SUFFIX})`,
  },
  'proxy-command': { value: 'CMD', help: 'reach the job through the input and output of CMD' },
  keys: { value: 'DIR', help: 'the folder of the keys that the SSH client reads' },
  help: { short: 'h', help: 'print this' },
} satisfies OptionTable<string>
