import type { EngineFlag } from '../engine.js'

/** Which queue is meant. */
export interface Queue {
  /** The schedd that has the job, as `-name` of HTCondor's tools. Default: the one of this machine. */
  name?: string | undefined
  /** The central manager that knows the schedd, as `-pool` of HTCondor's tools. Default: that of this machine. */
  pool?: string | undefined
}

/** What only HTCondor's tools need to know. */
export interface HtcondorSettings extends Queue {
  /** The shells to try in the job, separated by commas. Default: $SHELL. */
  shells?: string | undefined
}

export const FLAGS: Readonly<Record<keyof HtcondorSettings, EngineFlag>> = {
  name: {
    value: 'SCHEDD',
    help: 'the schedd that has the job, if it is not the one of this machine',
    finds: true,
  },
  pool: { value: 'HOST', help: 'the central manager that knows the schedd', finds: true },
  shells: { value: 'SHELL,...', help: 'the shells to try in the job (default $SHELL)', finds: false },
}
