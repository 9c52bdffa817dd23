import { readFile } from 'node:fs/promises'
import { beforeEach, describe, expect, it } from 'vitest'
import type { AuditEntry, AuditVerification } from '@mcpg/proto/rest/audit'
import { stories, until } from './story.ts'

const story = stories()
let asked: URLSearchParams[]

const base = { org: 'default', workspace: 'default', source: '127.0.0.1' }
const entries: AuditEntry[] = [
  {
    ...base,
    id: 'gw_1/0000000000000001',
    at: new Date(Date.now() - 60_000).toISOString(),
    gateway: 'edge-1',
    actor: 'anonymous',
    actorKind: 'client',
    verified: false,
    action: 'tool.call',
    kind: 'Server',
    name: 'files',
    seq: 1,
    detail: { target: 'read', client: 'inspector', outcome: 'tool-error', reason: 'ToolError', durationMs: 12 },
  },
  {
    ...base,
    id: 'a',
    at: new Date(Date.now() - 120_000).toISOString(),
    actor: 'ada@example.com',
    actorKind: 'user',
    action: 'server.update',
    kind: 'Server',
    name: 'files',
    requestId: 'req_1',
    beforeDigest: 'b'.repeat(64),
    afterDigest: 'c'.repeat(64),
    seq: 12,
    hash: 'd'.repeat(64),
    detail: { fields: ['/spec/command/1'] },
  },
  {
    ...base,
    id: 'b',
    at: new Date(Date.now() - 180_000).toISOString(),
    actor: 'bob@example.com',
    actorKind: 'user',
    action: 'access.deny',
    kind: 'Secret',
    name: 'github',
    seq: 11,
    detail: { operation: 'POST /v1/orgs/:org/workspaces/:workspace/secrets/:name/reveal', reason: 'not_allowed', repeated: 40 },
  },
]
const whole: AuditVerification = {
  ok: true,
  verifiedThrough: 12,
  rows: 12,
  problem: null,
  unsealed: { count: 1, oldestAt: new Date().toISOString() },
  purged: null,
  gateways: [
    {
      gateway: 'edge-1',
      gatewayId: 'gw_1',
      ok: true,
      rows: 4_812,
      verifiedThrough: 4_812,
      dropped: 0,
      removed: 0,
      breaks: 0,
      problem: null,
    },
  ],
}
let verification: AuditVerification
beforeEach(() => {
  asked = []
  verification = whole
  story.cp.knobs.onRead = (path, search) => {
    if (path === '/v1/orgs/default/audit/verify') return { status: 200, body: verification }
    if (path === '/v1/orgs/default/audit/export') return { status: 200, body: entries.at(-1) }
    if (path !== '/v1/orgs/default/audit') return undefined
    asked.push(search)
    const items = search.has('cursor') ? entries.slice(2) : entries.slice(0, 2)
    return { status: 200, body: { items, ...(search.has('cursor') ? {} : { nextCursor: 'next' }) } }
  }
})

describe('the audit page', () => {
  it('shows who did what and what gateways saw, and older entries when asked', async () => {
    await story.open('/audit')
    const table = story.page.getByRole('table', { name: 'Audit entries' })
    await table.getByText('server.update').waitFor()
    expect(await table.getByRole('row').nth(1).innerText()).toMatch(
      /tool\.call[\s\S]*anonymous[\s\S]*says inspector[\s\S]*files · read[\s\S]*tool error[\s\S]*edge-1/,
    )
    await story.page.getByRole('button', { name: 'Show older' }).click()
    await table.getByText('access.deny').waitFor()
    expect(await table.getByRole('row').nth(3).innerText()).toContain('not allowed')
    await shoot('audit')
  })

  it('shows digests before and after, and where the row stands in the chain', async () => {
    await story.open('/audit')
    await story.page.getByRole('button', { name: 'server.update' }).click()
    const dialog = story.page.getByRole('dialog')
    for (const text of ['b'.repeat(64), 'c'.repeat(64), 'ada@example.com (user)', 'req_1', '/spec/command/1'])
      expect(await dialog.innerText()).toContain(text)
    await shoot('audit-entry')
  })

  it('keeps its filters in the address and asks the control plane by them', async () => {
    await story.open('/audit?action=server.update')
    await story.page.getByLabel('Actor').fill('ada')
    await story.page.getByLabel('Target').fill('server/files')
    await story.page.getByRole('combobox', { name: 'Time' }).click()
    await story.page.getByRole('option', { name: 'Last day' }).click()
    await until(() => {
      const last = asked.at(-1)!
      return last.get('actor') === 'ada*' && last.get('target') === 'server/files' && last.has('since')
    })
    expect(asked.at(-1)!.get('action')).toBe('server.update*')
    expect(Date.now() - Date.parse(asked.at(-1)!.get('since')!)).toBeLessThan(25 * 3_600_000)
    await until(() => /actor=ada.*target=server|target=server.*actor=ada/.test(decodeURIComponent(story.page.url())))
    await story.page.getByRole('button', { name: 'Show CLI' }).click()
    await story.page.getByText("mcpg-ctl audit list --actor 'ada*'").waitFor()
  })

  it('saves what the filter leaves as a file of lines', async () => {
    await story.open('/audit')
    const saved = story.page.waitForEvent('download')
    await story.page.getByRole('button', { name: 'Export' }).click()
    const download = await saved
    expect(download.suggestedFilename()).toBe('audit-default.ndjson')
    expect(JSON.parse(await readFile(await download.path(), 'utf8'))).toMatchObject({ action: 'access.deny' })
  })

  it('fits a phone, in the dark too', async () => {
    await story.reopen({ dark: true, width: 390 })
    await story.open('/audit')
    await story.page.getByText('server.update').waitFor()
    const { scroll, width } = await story.page.evaluate(() => ({
      scroll: document.documentElement.scrollWidth,
      width: document.documentElement.clientWidth,
    }))
    expect(scroll).toBe(width)
    await shoot('audit-phone')
  })

  it('says what is wrong where a row was altered', async () => {
    const problem = { reason: 'row_altered' as const, seq: 3, detail: 'row 3 is not what the gateway sent' }
    verification = { ...whole, ok: false, gateways: [{ ...whole.gateways[0]!, ok: false, problem }] }
    await story.open('/audit')
    await story.page.getByText('The trail is not what was written').waitFor()
    await story.page.getByText('edge-1: row 3 is not what the gateway sent').waitFor()
    verification = whole
    await story.page.getByRole('button', { name: 'Verify again' }).click()
    await story.page.getByText('Nothing was altered or removed').waitFor()
  })
})

const shoot = async (name: string) => {
  const folder = process.env['MCPG_SCREENSHOTS']
  if (folder) await story.page.screenshot({ path: `${folder}/${name}.png`, fullPage: true })
}
