import { X11_DISPLAY_OFFSET } from '../../../core/limits.js'
import { everything } from '../../../permissions/permissions.js'
import type { Rules } from '../../../server/rules.js'

/**
 * Displays are for programs of this machine. HTCondor's template says X11UseLocalhost no, for the sake of sshd where it
 * tries IPv6 first; ours listens on both families, and would on every address of the machine.
 */
export function onLoopback(rules: Rules): Rules {
  const { displays = { offset: X11_DISPLAY_OFFSET } } = rules
  return { ...rules, displays: { ...displays, localhost: true } }
}

/**
 * What a server outside of the job's container may still do: ports, if they are the container's too. Files are the
 * host's in any case, unix sockets among them, and what is made for the agent and the display.
 */
export function outsideOfContainer(sharesNetwork: boolean): (rules: Rules) => Rules {
  const ports = sharesNetwork ? 'all' : 'none'
  const container = {
    ...everything('this server, which is outside of the container that the job runs in,'),
    forwarding: { open: ports, listen: ports, openUnix: 'none', listenUnix: 'none' },
    agent: false,
    x11: false,
  } as const
  return (rules) => ({
    ...rules,
    permissions: [...rules.permissions, container],
    // Whatever a configuration says that the job has had in its hands.
    gatewayPorts: 'no',
    replacesSockets: false,
  })
}
