import type { Plugin } from 'esbuild'

export const MENDED_FILE: RegExp
export function mendPacketLimit(source: string): string
export const mendedSsh2: Plugin
