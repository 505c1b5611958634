import { MAX_ENV_BYTES, MAX_ENV_TOTAL_BYTES, MAX_ENV_VARIABLES } from '../core/limits.js'
import { isSettable, LOGIN_VARIABLES } from '../job/environment.js'

type Variables = ReadonlyMap<string, Buffer>

/**
 * What one session adds to the environment of the job: what the client has set, over that what the rules set, and over
 * all the server's own, as sshd has it (do_setup_env() in session.c).
 */
export class SessionVariables {
  readonly #clients = new Map<string, Buffer>()
  readonly #servers: Map<string, Buffer>
  #bytes = 0

  /** @param servers what the server says of the connection */
  constructor(servers: Variables) {
    this.#servers = new Map(servers)
  }

  /** Whether a variable of the client's is taken. */
  set(name: string, value: Buffer): boolean {
    const size = name.length + value.length
    if (this.#clients.size >= MAX_ENV_VARIABLES && !this.#clients.has(name)) return false
    if (size > MAX_ENV_BYTES || this.#bytes + size > MAX_ENV_TOTAL_BYTES) return false
    if (value.includes(0) || !isSettable(name) || LOGIN_VARIABLES.includes(name)) return false
    this.#bytes += size
    this.#clients.set(name, Buffer.from(value))
    return true
  }

  /** The server's own, of what it has made for this session. */
  add(servers: Variables): void {
    for (const [name, value] of servers) this.#servers.set(name, value)
  }

  /**
   * @param rules what is set whatever the client sets
   * @param original what the client has asked for where something else is run
   */
  all(rules: Variables = new Map(), original?: Buffer): Variables {
    const asked: [string, Buffer][] = original === undefined ? [] : [['SSH_ORIGINAL_COMMAND', original]]
    return new Map([...this.#clients, ...rules, ...this.#servers, ...asked])
  }
}
