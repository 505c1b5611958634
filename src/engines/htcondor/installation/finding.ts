/** What was looked at, and what to do about it where it is not as it should be. */
export interface Finding {
  /** 'trap': works, with a limit that one should know. */
  level: 'ok' | 'trap' | 'broken'
  text: string
  advice?: string
}
