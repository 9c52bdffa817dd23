import { z } from 'zod'
import { Resource } from '../kinds/kind.ts'

/** Query of every list. `limit` 100, at most 500; `sort` is a column, `-` before it turns it round; `q` matches the name. */
export const ListQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(500).default(100),
  cursor: z.string().max(2048).optional(),
  labelSelector: z.string().max(4096).optional(),
  q: z.string().max(256).optional(),
  sort: z.enum(['name', '-name', 'createdAt', '-createdAt', 'updatedAt', '-updatedAt']).default('name'),
})
export type ListQuery = z.infer<typeof ListQuery>

export const listOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item), nextCursor: z.string().optional(), total: z.number().int().optional() })

export const ResourceList = listOf(Resource)
export type ResourceList = z.infer<typeof ResourceList>
