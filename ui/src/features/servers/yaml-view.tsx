import type { Resource } from '@mcpg/proto/kinds/kind'
import { CodeBlock } from '../../components/code-block.tsx'
import { manifestOf } from './manifest.ts'
import styles from './yaml-view.module.css'

/** The manifest as `get -o yaml` prints it: applied again it changes nothing. */
export function YamlView({ resource, plural }: { resource: Resource; plural: string }) {
  return (
    <>
      <p className={styles.hint}>
        Apply it with <code>mcpg-ctl apply -f -</code>. Unchanged, it changes nothing.
      </p>
      <CodeBlock text={manifestOf(resource, plural)} label="Manifest" isTall />
    </>
  )
}
