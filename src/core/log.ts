/** What this project asks of a logger; a pino logger is one. Fields first, then the message. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

const nothing = (): void => undefined

/** A logger that says nothing: the library's default. */
export const silent: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing }
