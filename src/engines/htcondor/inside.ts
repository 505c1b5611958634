import { type JobInside, type JobListenAt, nothingInside } from '../../job/inside.js'

const CONTAINER = 'the job runs in a container, and this would be done outside of it'
/** Those that are asked for by themselves. */
const LOOPBACK = ['127.0.0.1', '::1']

/**
 * Displays are for programs of this machine. HTCondor's template says X11UseLocalhost no, for the sake of sshd where it
 * tries IPv6 first; ours listens on both families, and would on every address of the machine.
 * @param begin called before its files are used
 */
export function besideServer(inside: JobInside, begin: () => void): JobInside {
  return {
    ...inside,
    files() {
      begin()
      return inside.files()
    },
    listen: (at, onConnection) =>
      inside.listen('display' in at ? { ...at, on: 'loopback' } : at, onConnection),
  }
}

/**
 * What a server outside of the job's container may still do: ports of this machine, if they are the container's too.
 * Files are the host's in any case, unix sockets among them, and what is made for the agent and the display.
 */
export function outsideOfContainer(inside: JobInside | undefined, sharesNetwork: boolean): JobInside {
  const nothing = nothingInside(CONTAINER)
  if (!sharesNetwork || inside === undefined) return nothing
  return {
    ...nothing,
    connect: (to, options) => ('path' in to ? nothing : inside).connect(to, options),
    // Whatever a configuration says that the job has had in its hands.
    listen: (at, onConnection) =>
      'port' in at ? inside.listen(onThisMachine(at), onConnection) : nothing.listen(at, onConnection),
  }
}

function onThisMachine({ port, on }: Extract<JobListenAt, { port: number }>): JobListenAt {
  const isLoopback = typeof on === 'object' && LOOPBACK.includes(on.address)
  return { port, on: isLoopback ? on : 'loopback' }
}
