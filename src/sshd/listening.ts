import { isIPv6 } from 'node:net'

/** Port: a number, or the name of a service, which is left as it is. */
export function parsePort(word: string): string | undefined {
  if (/^[a-z][a-z0-9-]*$/i.test(word)) return word
  if (!/^\d{1,9}$/.test(word)) return undefined
  const port = Number(word)
  return port >= 1 && port <= 65_535 ? String(port) : undefined
}

/** ListenAddress: where sshd would listen, with brackets around what has colons; undefined where it is no address. */
export function parseListenAddress(word: string): { host: string; port?: string } | undefined {
  if (isIPv6(word)) return { host: `[${word}]` }
  const found = /^(?<host>\[[\w.:%-]+\]|[\w.%-]+)(:(?<port>.*))?$/.exec(word)?.groups
  if (found === undefined) return undefined
  const { host = '', port: written } = found
  if (written === undefined) return { host }
  const port = parsePort(written)
  return port === undefined ? undefined : { host, port }
}
