import type { ConfigServerDiff } from '@mcpg/proto/rest/gateways'
import { Loading } from '../../components/loading.tsx'
import { ProblemNote } from '../../components/problem-note.tsx'
import { capital } from '../../lib/format.ts'
import type { GatewayView } from '../../lib/objects/gateway.ts'
import styles from './config-diff.module.css'
import { useConfigDiff } from './use-configs.ts'

/** Fields shown of one server; more is read as the document. */
const maxFields = 40

/** What leads from one generation to another, object by object and field by field. */
export function ConfigDiffView({ gateway, from, to }: { gateway: GatewayView; from: number; to: number }) {
  const { data, error } = useConfigDiff(gateway, from, to)
  if (from === to) return <p className={styles.quiet}>They are the same.</p>
  if (error) return <ProblemNote error={error} />
  if (!data) return <Loading />
  const others = data.others.map(({ kind, name, ...diff }) => ({ server: `${kind.toLowerCase()} ${name}`, ...diff }))
  const all = [...data.servers, ...others]
  if (all.length === 0) return <p className={styles.quiet}>Nothing differs.</p>
  return (
    <div className={styles.servers}>
      {all.map((one) => (
        <ServerDiff key={one.server} diff={one} />
      ))}
    </div>
  )
}

const signs = { added: '+', changed: '~', removed: '−' } as const

function ServerDiff({ diff: { server, result, fields } }: { diff: ConfigServerDiff }) {
  return (
    <section className={styles.server} data-result={result} aria-label={`${capital(result)}: ${server}`}>
      <p className={styles.title}>
        <span aria-hidden>{signs[result]}</span> {server} <small>{result}</small>
      </p>
      {fields.length > 0 && (
        <dl className={styles.fields}>
          {fields.slice(0, maxFields).map(({ path, before, after }) => (
            <div key={path}>
              <dt>
                <code>{path}</code>
              </dt>
              <dd>
                {before !== undefined && <del>{wordsOf(before)}</del>}
                {after !== undefined && <ins>{wordsOf(after)}</ins>}
              </dd>
            </div>
          ))}
        </dl>
      )}
      {fields.length > maxFields && <p className={styles.quiet}>{fields.length - maxFields} more fields differ.</p>}
    </section>
  )
}

const wordsOf = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value))
