import {
  IconActivity,
  IconBell,
  IconBuilding,
  IconCloud,
  IconFileText,
  IconFolders,
  IconGauge,
  IconKey,
  IconLayoutDashboard,
  IconLicense,
  IconPlugConnected,
  IconServer2,
  IconShieldCheck,
  IconTicket,
  IconTool,
  IconUsers,
  IconWorld,
  type Icon,
} from '@tabler/icons-react'

export type Destination = { label: string; path: string; key: string; icon: Icon; words: string }

/** Only pages that exist. `key` follows `g`; `words` are what the palette finds it by, too. */
export const navigation: { group: string; items: Destination[] }[] = [
  {
    group: 'Fleet',
    items: [
      { label: 'Overview', path: '/', key: 'o', icon: IconLayoutDashboard, words: 'home needs attention' },
      { label: 'Gateways', path: '/gateways', key: 'g', icon: IconPlugConnected, words: 'gw agents' },
      { label: 'Enrollments', path: '/enrollments', key: 'e', icon: IconTicket, words: 'tokens join' },
    ],
  },
  {
    group: 'MCP',
    items: [
      { label: 'Servers', path: '/servers', key: 's', icon: IconServer2, words: 'srv' },
      { label: 'Tools', path: '/tools', key: 't', icon: IconTool, words: '' },
      { label: 'Projects', path: '/projects', key: 'p', icon: IconFolders, words: 'proj prompts connect clients' },
    ],
  },
  {
    group: 'Cloud',
    items: [
      { label: 'Operations', path: '/operations', key: 'r', icon: IconActivity, words: 'provision managed gateways history ladder runs' },
      { label: 'Clusters', path: '/clusters', key: 'n', icon: IconCloud, words: 'kubernetes local capacity regions nodes cordon drain' },
      { label: 'Quotas', path: '/quotas', key: 'q', icon: IconGauge, words: 'limits of managed gateways cpu memory' },
      { label: 'Domains', path: '/domains', key: 'd', icon: IconWorld, words: 'dns host names txt record verify custom hostname' },
    ],
  },
  {
    group: 'Observe',
    items: [
      { label: 'Events', path: '/events', key: 'v', icon: IconBell, words: 'warnings ev' },
      { label: 'Audit', path: '/audit', key: 'a', icon: IconShieldCheck, words: 'trail who did what verify denials sessions' },
      { label: 'Logs', path: '/logs', key: 'l', icon: IconFileText, words: 'control plane' },
    ],
  },
  {
    group: 'Admin',
    items: [
      { label: 'Secrets', path: '/secrets', key: 'c', icon: IconKey, words: 'credentials keys tokens sec' },
      {
        label: 'Access',
        path: '/access',
        key: 'u',
        icon: IconUsers,
        words: 'people users groups roles rolebindings rbac can-i permissions',
      },
      { label: 'Tokens', path: '/tokens', key: 'k', icon: IconLicense, words: 'mcptokens bearers pat clients machines' },
      { label: 'Organizations', path: '/orgs', key: 'z', icon: IconBuilding, words: 'orgs workspaces environments scopes tenancy' },
    ],
  },
]

export const destinations = navigation.flatMap(({ items }) => items)
