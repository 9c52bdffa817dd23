import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { writeFileAtomic } from '@mcpg/core/atomic-file'

export const Contact = z.object({
  endpoint: z.string(),
  connectedAt: z.iso.datetime(),
  lastHeardAt: z.iso.datetime(),
  replicaId: z.string(),
  /** Since when there is no stream and why, as far as the agent could still say; absent while connected. */
  disconnected: z.object({ since: z.iso.datetime(), reason: z.string() }).optional(),
})
/** The last time the control plane was heard, for people and for `offline_for`; losing it costs nothing. */
export type Contact = z.infer<typeof Contact>

const Remembered = z.object({ contact: Contact.nullable().default(null), endpointPort: z.number().int().nullable().default(null) })
export type Remembered = z.infer<typeof Remembered>

/** `contact.json`: what is convenient to remember. Anything unreadable counts as nothing. */
export async function readContact(folder: string): Promise<Remembered> {
  try {
    return Remembered.parse(JSON.parse(await readFile(join(folder, 'contact.json'), 'utf8')))
  } catch {
    return { contact: null, endpointPort: null }
  }
}

export async function contactFile(folder: string) {
  let remembered = await readContact(folder)
  let writing: Promise<void> = Promise.resolve()
  return {
    contact: () => remembered.contact,
    endpointPort: () => remembered.endpointPort ?? undefined,
    saveContact: (contact: Contact) => save({ ...remembered, contact }),
    saveEndpoint: (endpointPort: number) => save({ ...remembered, endpointPort }),
    flushed: () => writing,
  }

  function save(next: Remembered): void {
    remembered = next
    writing = write(next, writing)
  }

  async function write(next: Remembered, before: Promise<void>): Promise<void> {
    await before
    await writeFileAtomic(join(folder, 'contact.json'), `${JSON.stringify(next)}\n`).catch(() => {})
  }
}
