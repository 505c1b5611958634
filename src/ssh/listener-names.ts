/**
 * What a socket that listens in the job is known by at either end: what the client asked for, which the server names in
 * each channel that it opens for it (RFC 4254 §7.1 and §7.2, and OpenSSH's PROTOCOL, §2.4, for unix sockets). A path may
 * look like a port and an address.
 */
export const tcpName = (port: number, address: string): string => `tcp ${port} ${address}`
export const unixName = (path: string): string => `unix ${path}`
