import { CapacityBar } from '../../components/capacity-bar.tsx'
import { spellBytes, spellCpu } from '../../lib/format.ts'
import type { Cluster } from '@mcpg/proto/rest/clusters'

export const GatewaysBar = ({ cluster: { name, gateways } }: { cluster: Cluster }) => (
  <CapacityBar label={`Gateways on ${name}`} reserved={gateways.reserved} total={gateways.max} spell={String} />
)
export const CpuBar = ({ cluster: { name, cpuMillicores } }: { cluster: Cluster }) => (
  <CapacityBar label={`CPU of ${name}`} reserved={cpuMillicores.reserved} total={cpuMillicores.total} spell={spellCpu} />
)
export const MemoryBar = ({ cluster: { name, memoryBytes } }: { cluster: Cluster }) => (
  <CapacityBar label={`Memory of ${name}`} reserved={memoryBytes.reserved} total={memoryBytes.total} spell={spellBytes} />
)
