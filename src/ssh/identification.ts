import { VERSION } from '../core/version.js'

/**
 * Our identification string (RFC 4253 §4.2). It begins with OpenSSH's name because OpenSSH's client sends
 * eow@openssh.com, without which `ssh JOB yes | head -1` hangs, only to servers that call themselves so.
 */
export const IDENT = `OpenSSH_9.9 sshjob_${VERSION}`

/** What a client is told that does not speak SSH, in the words of OpenSSH. */
export const NO_SSH = 'Invalid SSH identification string.\r\n'
