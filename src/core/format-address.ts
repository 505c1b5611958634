/** An address and a port as people write them: 'host:80', '[::1]:80'. */
export function formatAddress(host: string, port: number | '*'): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
