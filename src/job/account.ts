import { userInfo } from 'node:os'

/** What the system knows of the user that this process runs as. */
export interface Account {
  /** The login name, or the uid number where no account has it. */
  readonly name: string
  readonly home: string | undefined
  readonly shell: string | undefined
}

/**
 * Reads the account of the current user. In a container, or on a node that the directory service does not
 * reach, a uid without an account is normal: getpwuid_r(3) finds nothing, os.userInfo() throws, and the number
 * is all that there is to say.
 */
export function readAccount(): Account {
  try {
    const { username, homedir, shell } = userInfo()
    return { name: username, home: homedir || undefined, shell: shell || undefined }
  } catch {
    return { name: String(process.getuid?.() ?? 0), home: undefined, shell: undefined }
  }
}
