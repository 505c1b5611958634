/**
 * What a job sets for its own programs, and would be obeyed by the Node.js of a session's server as well, which may not
 * start with it, or takes three times as long (to read certificates, of which it has no use). The launcher that
 * `sshjob htcondor install` writes sets it aside under another name.
 */
export const SET_ASIDE = ['NODE_OPTIONS', 'NODE_EXTRA_CA_CERTS', 'LD_LIBRARY_PATH'] as const

/** Of ours, so that no job gets it by mistake. */
export const setAside = (name: (typeof SET_ASIDE)[number]): string => `SSHJOB_ASIDE_${name}`
