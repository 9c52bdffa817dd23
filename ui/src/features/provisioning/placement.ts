import { isolationTiers } from '@mcpg/proto/managed-gateways'
import type { Cluster } from '@mcpg/proto/rest/clusters'
import { plural } from '../../lib/format.ts'

type Asked = { region: string; isolationTier: string; allowHigherTier: boolean }

/** Which clusters a request could go to, in words; whether there is room is decided when it is made. */
export function candidates(
  { region, isolationTier, allowHigherTier }: Asked,
  clusters: readonly Cluster[],
): { text: string; isNone: boolean } {
  const level = (tier: string) => isolationTiers.findIndex((one) => one === tier)
  const fits = clusters.filter((one) => {
    const higher = level(one.isolationTier) - level(isolationTier)
    return one.state === 'ready' && (region === '' || one.region === region) && (higher === 0 || (higher > 0 && allowHigherTier))
  })
  if (fits.length === 0) return { text: 'No cluster that is ready has this region and tier.', isNone: true }
  const named = fits.map(({ name, gateways: { max, reserved } }) => `${name} (${max - reserved} of ${plural(max, 'place')} free)`)
  return { text: `It can go to ${named.join(', ')}.`, isNone: false }
}
