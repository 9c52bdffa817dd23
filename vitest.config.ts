import { defineConfig } from 'vitest/config'

const shared = { exclude: ['**/node_modules/**', '**/dist/**'], testTimeout: 30_000, hookTimeout: 60_000, pool: 'forks' as const }

export default defineConfig({
  test: {
    reporters: ['default', './e2e/reporter.ts'],
    maxWorkers: 2,
    projects: [
      {
        test: {
          ...shared,
          name: 'unit',
          include: ['{proto,core,cp,gateway-agent,ctl,scripts}/**/*.test.ts'],
          globalSetup: ['e2e/postgres.ts'],
        },
      },
      { test: { ...shared, name: 'ui', include: ['ui/**/*.test.{ts,tsx}'], globalSetup: ['e2e/chromium.ts'] } },
      {
        test: {
          ...shared,
          name: 'e2e',
          include: ['e2e/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 120_000,
          globalSetup: ['e2e/chromium.ts'],
        },
      },
    ],
  },
})
