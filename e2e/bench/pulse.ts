// One virtual gateway that feels the pulse of the control plane: a heartbeat every few milliseconds, and how long each answer took.
// An event loop that stands still answers late, so the longest wait is an upper bound of the longest stall.
import { connectVirtual, enrollVirtual, type VirtualGateway } from '../scenarios/virtual-gateway.ts'
import { answerAsks } from './peer.ts'
import { percentile } from './percentile.ts'

const periodMs = 5
// The control plane lets go of who leaves 64 answers unread; during a long stall the oldest beat tells its length.
const maxOpen = 40
const sentAt: number[] = []
let waits: number[] = []
let gateway: VirtualGateway | undefined
let beat: NodeJS.Timeout | undefined

answerAsks({ join, begin, end })

async function join({ enrollmentUrl, grpc, uid }: { enrollmentUrl: string; grpc: string; uid: string }): Promise<void> {
  gateway = await connectVirtual(grpc, await enrollVirtual(enrollmentUrl, uid), {
    acknowledged() {
      const sent = sentAt.shift()
      if (sent !== undefined) waits.push(performance.now() - sent)
    },
  })
  void gateway.ended.then(() => clearInterval(beat))
}

function begin(): void {
  waits = []
  sentAt.length = 0
  beat = setInterval(() => {
    if (sentAt.length >= maxOpen) return
    sentAt.push(performance.now())
    gateway?.heartbeat()
  }, periodMs)
}

/** Stops, and waits for what is under way: the longest wait may be the last. */
async function end() {
  clearInterval(beat)
  const patience = performance.now() + 10_000
  while (sentAt.length > 0 && performance.now() < patience) await new Promise((resolve) => setTimeout(resolve, periodMs))
  return {
    beats: waits.length,
    unanswered: sentAt.length,
    p50Ms: percentile(waits, 0.5),
    p99Ms: percentile(waits, 0.99),
    maxMs: Math.max(0, ...waits),
  }
}
