import type { Quota } from '@mcpg/proto/rest/quotas'
import { CapacityBar } from '../../components/capacity-bar.tsx'
import { amounts } from './limits.ts'

/** What is taken of each limit; `of` says whose it is. */
export const quotaBars = (of: string, { limits, used }: Quota) =>
  amounts.map(({ amount, label, spell }) => ({
    label,
    bar: (
      <CapacityBar
        key={amount}
        label={`${label} of ${of}`}
        reserved={used[amount]}
        total={limits[amount]}
        spell={amount === 'gateways' ? String : spell}
      />
    ),
  }))
