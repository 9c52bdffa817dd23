/** Version of every program of this repository. */
export const version = '0.1.0'

/** Revisions of the agent protocol spoken by this version. */
export const protocolRevision = { min: 1, max: 1 } as const
