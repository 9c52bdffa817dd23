import type { Log } from '@mcpg/core/log'
import { pointers, type Slots, type StateRecord, type Stored } from './slots.ts'
import { isRefusal, verifyDocument, verifyHeader, type VerifiedConfig } from './verify.ts'

export type Boot = {
  record: StateRecord
  /** What is to run at once: the LKG, else the newest readable slot. */
  lkg: VerifiedConfig | null
  /** The stored candidate without a verdict; null when there is none or its copy is damaged. */
  candidate: VerifiedConfig | null
  /** The LKG that should have been there. */
  corrupt: { generation: number; hash: string; message: string } | null
}

/** Reads the config folder of a gateway; one that belongs to another identity is emptied first. */
export async function bootFrom({
  slots,
  gateway,
  log,
}: {
  slots: Slots
  gateway: { gatewayId: string; keys: Uint8Array[] }
  log: Log
}): Promise<Boot> {
  await slots.prepare()
  const stored = await slots.readRecord()
  if (stored !== null && stored !== 'damaged' && stored.gatewayId !== gateway.gatewayId) {
    log.warn({ gatewayId: stored.gatewayId }, 'the stored configs belong to an earlier identity and are deleted')
    await slots.erase()
    await slots.prepare()
    return { record: emptyRecord(gateway.gatewayId), lkg: null, candidate: null, corrupt: null }
  }
  const [current, lkg, candidate] = await Promise.all(pointers.map((pointer) => slots.read(pointer)))
  if (!current || !lkg || !candidate) throw new Error('a pointer was not read')
  for (const name of [...current.damaged, ...lkg.damaged, ...candidate.damaged])
    log.error({ file: name }, 'a stored config slot is damaged')
  const everything = [...lkg.stored, ...current.stored, ...candidate.stored]
  if (stored === 'damaged') log.error('state.json is damaged; it is rebuilt from the slots')
  const record = stored === 'damaged' || stored === null ? rebuilt(gateway.gatewayId, everything) : stored

  const undecided = record.candidate
  const rest = everything
    .filter((one) => !record.quarantine.includes(one.hash) && !(one.generation === undecided?.generation && one.hash === undecided.hash))
    .sort((one, other) => other.generation - one.generation)
  const found = await firstReadable([...lkg.stored, ...rest])
  const expected = expectedLkg(record, lkg.stored)
  const isMissed = expected !== null && found?.header.configHash !== expected.hash
  return {
    record,
    lkg: found,
    candidate: undecided
      ? await firstReadable(candidate.stored.filter((one) => one.generation === undecided.generation && one.hash === undecided.hash))
      : null,
    corrupt: isMissed
      ? {
          ...expected,
          message: `Its stored copy is damaged; ${found ? `generation ${found.header.generation} runs instead` : 'nothing runs'}.`,
        }
      : null,
  }

  async function firstReadable(candidates: Stored[]): Promise<VerifiedConfig | null> {
    for (const one of candidates) {
      const config = await readable(one)
      if (config) return config
      log.error({ generation: one.generation, hash: one.hash }, 'a stored config is damaged')
    }
    return null
  }

  async function readable(one: Stored): Promise<VerifiedConfig | null> {
    const header = verifyHeader(one, gateway)
    const bytes = await slots.readBytes(one.hash)
    if (isRefusal(header) || bytes === null) return null
    const document = verifyDocument(bytes, header)
    return isRefusal(document) ? null : { ...one, bytes, header, ...document }
  }
}

/** Without the file, generations at least never go back behind what the slots show. */
function rebuilt(gatewayId: string, slots: Stored[]): StateRecord {
  const highest = slots.reduce<Stored | null>((best, one) => (best && best.generation >= one.generation ? best : one), null)
  return { ...emptyRecord(gatewayId), highest: highest && { generation: highest.generation, hash: highest.hash } }
}

function expectedLkg({ verdict }: StateRecord, lkg: Stored[]): { generation: number; hash: string } | null {
  const newest = lkg[0]
  if (verdict?.state === 'applied' && verdict.generation >= (newest?.generation ?? 0))
    return { generation: verdict.generation, hash: verdict.hash }
  return newest ? { generation: newest.generation, hash: newest.hash } : null
}

const emptyRecord = (gatewayId: string): StateRecord => ({ v: 1, gatewayId, highest: null, candidate: null, quarantine: [], verdict: null })
