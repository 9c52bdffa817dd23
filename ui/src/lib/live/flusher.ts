/** Most often that the page is drawn because of the stream. */
const flushMs = 250

/**
 * Runs `flush` at most four times a second, at the next frame; a hidden tab gets no frames and so draws nothing until it is seen.
 */
export function flusher(flush: () => void) {
  let timer: ReturnType<typeof setTimeout> | undefined
  let frame: number | undefined
  let last = 0

  return { request, cancel }

  function request(): void {
    if (timer !== undefined || frame !== undefined) return
    timer = setTimeout(onTime, Math.max(0, last + flushMs - performance.now()))
  }

  function onTime(): void {
    timer = undefined
    frame = requestAnimationFrame(() => {
      frame = undefined
      last = performance.now()
      flush()
    })
  }

  function cancel(): void {
    clearTimeout(timer)
    if (frame !== undefined) cancelAnimationFrame(frame)
    timer = undefined
    frame = undefined
  }
}
