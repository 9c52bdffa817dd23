import { z } from 'zod'

/** One binding that somebody has rights by; `through` are the groups on the way, none for one that names them. */
export const AccessHeld = z.object({
  binding: z.string(),
  role: z.string(),
  workspace: z.string().optional(),
  environment: z.string().optional(),
  project: z.string().optional(),
  through: z.array(z.string()),
})
export type AccessHeld = z.infer<typeof AccessHeld>
