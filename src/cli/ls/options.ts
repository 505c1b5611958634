export const LS_OPTIONS = {
  json: { help: 'print JSON' },
  help: { short: 'h', help: 'print this' },
} as const
