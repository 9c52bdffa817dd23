/** Milliseconds of the machine's monotonic clock: the same in every process, so that times may be compared across them. */
export const monotonicMs = () => Number(process.hrtime.bigint()) / 1e6
