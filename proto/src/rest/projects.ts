import { z } from 'zod'

/** What `.mcp.json` wants; `url` is the path of the project at a gateway. */
export const ProjectClientConfig = z.object({
  mcpServers: z.record(z.string(), z.object({ type: z.literal('http'), url: z.string() })),
})
export type ProjectClientConfig = z.infer<typeof ProjectClientConfig>

/** What a project tells clients beside the words of its servers; absent where it has nothing to say. */
export const ProjectInstructions = z.object({
  project: z.string(),
  instructions: z.string().optional(),
  prompt: z.string().optional(),
})
export type ProjectInstructions = z.infer<typeof ProjectInstructions>
