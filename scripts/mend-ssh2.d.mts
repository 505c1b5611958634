import type { Plugin } from 'esbuild'

export const MENDED_FILE: RegExp
export function mendCrypto(source: string): string
export const mendedSsh2: Plugin
