import type { ReactNode } from 'react'
import { Link } from 'react-router'
import { Facts } from '../../components/facts.tsx'
import { Labels } from '../../components/labels.tsx'
import { ServerSource } from '../../components/server-source.tsx'
import { ServersReady } from '../../components/servers-ready.tsx'
import { Since } from '../../components/since.tsx'
import { plural } from '../../lib/format.ts'
import { labelsOf, listOf, recordOf, textOf, textsOf } from '../../lib/objects/reported.ts'
import { secretRefsOf } from '../../lib/objects/secret-refs.ts'
import type { ServerView } from '../../lib/objects/server.ts'

/** What the definition says, defaults included, and how much of it is true. */
export function ServerFacts({ server }: { server: ServerView }) {
  const spec = recordOf(server.resource.spec)
  const facts: [string, ReactNode][] = [
    ['Source', <ServerSource key="source" source={server.source} />],
    ['Ready', <ServersReady key="ready" ready={server.ready} desired={server.desired} />],
    ['Desired', server.desiredState],
    ['Placed on', `${plural(server.placed, 'gateway')}${placementOf(spec)}`],
    ['Tools', String(server.tools)],
    ['MCP era', textOf(spec['era']) || 'auto'],
    ['Processes', processesOf(spec)],
    ['May ask clients for', Array.isArray(spec['forward']) ? textsOf(spec['forward']).join(', ') || 'nothing' : 'sampling, elicitation'],
    ['Required', spec['required'] === false ? 'no: it never gates a config' : 'yes'],
    [
      'Timeouts',
      `start ${textOf(spec['startTimeout']) || '60s'}, call ${textOf(spec['callTimeout']) || '60s'}, stop ${textOf(spec['stopGrace']) || '5s'}`,
    ],
    ['Environment variables', variablesOf(spec)],
    ['Secrets', secretsOf(spec)],
    ['Labels', <Labels key="labels" labels={server.labels} />],
    ['Created', <Since key="created" at={server.createdAt} />],
    ['Changed', <Since key="changed" at={server.resource.metadata.updatedAt} />],
  ]
  return <Facts facts={facts} />
}

function placementOf(spec: Record<string, unknown>): string {
  const placement = recordOf(spec['placement'])
  const wanted = [
    ...textsOf(placement['environments']).map((name) => `in ${name}`),
    ...Object.entries(labelsOf(placement['gatewaySelector'])).map((pair) => pair.join('=')),
  ]
  return wanted.length > 0 ? `, ${wanted.join(', ')}` : ''
}

/** Whose calls share one. */
function processesOf(spec: Record<string, unknown>): string {
  const sessions = textOf(spec['sessions']) || 'identity'
  const whose = { shared: 'one for everybody', session: 'one per client session' }[sessions] ?? 'one per caller'
  return `${whose}, at most ${Number(spec['maxSessions'] ?? 16)} of their own`
}

/** Which key of which secret goes where; never what is in it. */
function secretsOf(spec: Record<string, unknown>): ReactNode {
  const refs = secretRefsOf(spec)
  if (refs.length === 0) return ''
  return refs.map(({ usedAs, secret, key }) => (
    <div key={usedAs}>
      <Link to={`/secrets/${encodeURIComponent(secret)}`}>
        <code>
          {secret}/{key}
        </code>
      </Link>{' '}
      as {usedAs}
    </div>
  ))
}

/** Names only: a value may be what somebody should have kept secret. */
function variablesOf(spec: Record<string, unknown>): string {
  return [
    ...listOf(spec['env']).map((one) => textOf(recordOf(one)['name'])),
    ...textsOf(spec['inheritEnv']).map((name) => `${name} (inherited)`),
  ].join(', ')
}
