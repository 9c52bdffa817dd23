import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startHttpFixture, type HttpFixture } from '../fixtures/conformance/http.ts'
import { runConformance, type Revision } from './run.ts'

describe('the fixture server, asked directly over HTTP', () => {
  let fixture: HttpFixture
  beforeAll(async () => {
    fixture = await startHttpFixture()
  })
  afterAll(() => fixture.close())

  it.each([
    { requirements: '2025-11-25', count: 30, unscored: [] },
    // The tasks extension is nothing the SDK serves; tasks-status-notifications checks nothing.
    { requirements: '2026-07-28', count: 37, unscored: tasksScenarios() },
  ] as const)('passes all $count scenarios $requirements requires', { timeout: 180_000 }, async ({ requirements, count, unscored }) => {
    const result = await runConformance({ url: fixture.url, requirements })
    expect(result.failures.filter((failure) => !failure.scenario.startsWith('tasks-'))).toEqual([])
    expect(result.passed).toHaveLength(count)
    expect(result.unscored.failed).toEqual(unscored)
  })
})

describe('the conformance runner', () => {
  it('names what failed, what was not expected to, and what no longer fails', { timeout: 180_000 }, async () => {
    const legacyOnly = await startHttpFixture({ era: 'legacy' })
    try {
      const requirements: Revision = '2026-07-28'
      const expectedFailures = ['caching', 'dns-rebinding-protection', 'no-such-scenario']
      const result = await runConformance({ url: legacyOnly.url, requirements, expectedFailures })
      expect(result.passed.length + result.failed.length).toBe(37)
      expect(result.failed).toContain('caching')
      expect(result.unexpected).toContain('server-stateless')
      expect(result.unexpected).not.toContain('caching')
      expect(result.stale).toEqual(['no-such-scenario'])
    } finally {
      await legacyOnly.close()
    }
  })

  it('refuses to call silence a result', async () => {
    const nowhere = runConformance({ url: 'not a url', requirements: '2025-11-25' })
    await expect(nowhere).rejects.toThrow('wrote no results')
  })
})

function tasksScenarios() {
  return [
    'tasks-lifecycle',
    'tasks-capability-negotiation',
    'tasks-wire-fields',
    'tasks-request-state-removal',
    'tasks-mrtr-input',
    'tasks-request-headers',
    'tasks-dispatch-and-envelope',
    'tasks-required-task-error',
    'tasks-mrtr-composition',
  ]
}
