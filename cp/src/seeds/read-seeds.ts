import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { kinds } from '@mcpg/proto/kinds'
import type { KindDeclaration, ResourceInput } from '@mcpg/proto/kinds/kind'
import { parse } from 'yaml'
import { isRecord } from '../resources/differ.ts'
import { validateObject } from '../resources/validate.ts'

export type Seed = { declaration: KindDeclaration; input: ResourceInput }

/** The objects of the YAML files of a folder, in the order in which they are written. Throws for what is no valid object. */
export async function readSeeds(folder: string): Promise<Seed[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.yaml'))
  const groups = await Promise.all(names.map(async (name) => parse(await readFile(join(folder, name), 'utf8')) as unknown))
  return kinds.flatMap((declaration) =>
    groups
      .flatMap((group) => (isRecord(group) ? (group[declaration.plural] ?? []) : []) as Record<string, unknown>[])
      .map(({ name, project, ...spec }) => {
        const metadata = project === undefined ? { name } : { name, project }
        return { declaration, input: validateObject(declaration, { metadata, spec }) }
      }),
  )
}
