// Many virtual gateways in one process of their own.
import { connectVirtual, enrollVirtual, type VirtualGateway } from '../scenarios/virtual-gateway.ts'
import { monotonicMs } from './clock.ts'
import { answerAsks } from './peer.ts'

export type Join = { enrollmentUrl: string; grpc: string; count: number; stem: string }

const members: VirtualGateway[] = []
const ended: string[] = []
/** Per mark found in an offered document: when each member staged it. */
const staged = new Map<string, number[]>()
let changed = () => {}

answerAsks({ join, stagedBy, facts, leave })

/** Redeems the URL `count` times, a few at a time, and opens as many streams. */
async function join({ enrollmentUrl, grpc, count, stem }: Join): Promise<void> {
  const waiting = Array.from({ length: count }, (_, index) => `${stem}-${index}`)
  const workers = Array.from({ length: 8 }, async () => {
    for (let uid = waiting.shift(); uid !== undefined; uid = waiting.shift()) await one(uid)
  })
  await Promise.all(workers)

  async function one(uid: string): Promise<void> {
    const identity = await enrollVirtual(enrollmentUrl, uid)
    const member = await connectVirtual(grpc, identity, {
      staged: note,
      refused: (reason) => ended.push(`${uid} refused an offer: ${reason}`),
    })
    members.push(member)
    void member.ended.then((error) => ended.push(`${uid}: ${String(error)}`))
  }
}

/** The time is taken before the mark is looked for: reading the document is the bench's own work. */
function note(bytes: Uint8Array): void {
  const at = monotonicMs()
  const mark = /"BENCH_MARK":"([^"]+)"/.exec(Buffer.from(bytes).toString('latin1'))?.[1]
  if (mark === undefined) return
  staged.set(mark, [...(staged.get(mark) ?? []), at])
  changed()
}

/** Waits until every member has staged a document that carries the mark; times on the machine's monotonic clock. */
async function stagedBy({ mark, deadlineMs }: { mark: string; deadlineMs: number }): Promise<number[]> {
  const late = setTimeout(() => changed(), deadlineMs)
  const deadline = performance.now() + deadlineMs
  try {
    for (;;) {
      const times = staged.get(mark) ?? []
      if (times.length >= members.length) return times
      if (performance.now() >= deadline || ended.length > 0)
        throw new Error(`${times.length} of ${members.length} gateways staged ${mark} in ${deadlineMs} ms; ${ended.slice(0, 3).join('; ')}`)
      await new Promise<void>((resolve) => (changed = resolve))
    }
  } finally {
    clearTimeout(late)
  }
}

function facts() {
  const { user, system } = process.cpuUsage()
  return { members: members.length, ended, cpuSeconds: (user + system) / 1e6 }
}

async function leave(): Promise<void> {
  await Promise.all(members.splice(0).map((member) => member.close()))
}
