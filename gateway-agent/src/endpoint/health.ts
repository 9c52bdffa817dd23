export type ProbeAnswer = { status: number; body: unknown }

/** What the program around the endpoint says of itself. */
export type Health = {
  healthz(): ProbeAnswer
  /** 200, or 503 with `{waiting: [{server, reason}]}`. */
  readyz(): ProbeAnswer
  metrics(): Promise<{ contentType: string; text: string }>
}
