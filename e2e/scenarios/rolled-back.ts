import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { createLog } from '@mcpg/core/log'
import { openDatabase } from '../../cp/src/db/db.ts'
import { temporaryFolder } from '../harness/cleanup.ts'

const silent = createLog({ level: 'silent', json: true })
const migrationsFolder = new URL('../../cp/prisma/sqlite/migrations', import.meta.url).pathname

/** Plain writes asked for beside a transaction that takes `seconds` and rolls back; answers how many of them are there afterwards. */
export async function rolledBackBeside({ writes, seconds }: { writes: number; seconds: number }) {
  const db = await openDatabase({ engine: 'sqlite', path: join(temporaryFolder(), 'mcpg.db'), migrationsFolder }, silent)
  const org = (name: string) => ({ data: { name, createdAt: new Date().toISOString() } })
  const begun = Promise.withResolvers<void>()
  const rolledBack = db
    .write(async (tx) => {
      await tx.org.create(org('rolled-back'))
      begun.resolve()
      await pause(seconds * 1000)
      throw new Error('on purpose')
    })
    .then(
      () => 'committed',
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    )
  await begun.promise
  const done = await Promise.allSettled(
    Array.from({ length: writes }, (_, index) => db.write((tx) => tx.org.create(org(`write-${index}`)))),
  )
  const acknowledged = done.filter(({ status }) => status === 'fulfilled').length
  const outcome = await rolledBack
  const stored = await db.read.org.count({ where: { name: { startsWith: 'write-' } } })
  const leaked = await db.read.org.count({ where: { name: 'rolled-back' } })
  await db.stop()
  return { acknowledged, stored, leaked, outcome }
}
