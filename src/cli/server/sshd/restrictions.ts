import { X11_DISPLAY_OFFSET } from '../../../core/limits.js'
import type { ForwardingPolicy } from '../../../server/forwarding/policy.js'

/**
 * Displays are for programs of this machine. HTCondor's template says X11UseLocalhost no, for the sake of sshd where it
 * tries IPv6 first; ours listens on both families, and would on every address of the machine.
 */
export function onLoopback(policy: ForwardingPolicy): ForwardingPolicy {
  const { displays = { offset: X11_DISPLAY_OFFSET } } = policy
  return { ...policy, displays: { ...displays, localhost: true } }
}

const CONTAINER = 'the job runs in a container, and this would be done outside of it'

/**
 * What a server outside of the job's container may still do: ports, if they are the container's too. Files are the
 * host's in any case, unix sockets among them, and what is made for the agent and the display.
 */
export function outsideOfContainer(sharesNetwork: boolean): (policy: ForwardingPolicy) => ForwardingPolicy {
  const refuse = (): string => CONTAINER
  return (policy) => ({
    ...policy,
    ...(sharesNetwork ? {} : { open: refuse, listen: refuse }),
    openUnix: refuse,
    listenUnix: refuse,
    agent: refuse,
    x11: refuse,
    // Whatever a configuration says that the job has had in its hands.
    gatewayPorts: 'no',
    replacesSockets: false,
  })
}
