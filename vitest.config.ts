import { defineConfig } from 'vitest/config'

const shared = { exclude: ['**/node_modules/**', '**/dist/**'], testTimeout: 30_000, hookTimeout: 60_000, pool: 'forks' as const }
const stories = { ...shared, fileParallelism: false, testTimeout: 120_000, globalSetup: ['e2e/chromium.ts', 'e2e/postgres.ts'] }

/** Suites of the control plane that would show nothing new on another database, or that look into files of SQLite. */
const sameOnEveryDatabase = [
  'cp/src/db/**', // runs on both engines by itself
  'cp/src/{config,keeper,main,turns}.test.ts',
  'cp/src/{access,grpc,http,tls}/**',
  'cp/src/config/{compile,probation}.test.ts',
  'cp/src/control/**', // takes the file away
]
/** Stories in which a control plane only hands out a config once: what they are about happens on the gateway. */
const storiesOfTheGateway = ['clients', 'conformance', 'misbehaving-servers', 'nothing-left']
/** The SQLite file is what it breaks; its counterpart is postgres.test.ts. */
const storiesOfSqlite = ['bad-start']

const onPostgres = { env: { MCPG_TEST_DATABASE: 'postgresql' } }

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
      {
        test: {
          ...shared,
          ...onPostgres,
          name: 'unit-postgres',
          include: ['cp/src/**/*.test.ts'],
          exclude: [...shared.exclude, ...sameOnEveryDatabase],
          globalSetup: ['e2e/postgres.ts'],
        },
      },
      { test: { ...shared, name: 'ui', include: ['ui/**/*.test.{ts,tsx}'], globalSetup: ['e2e/chromium.ts'] } },
      { test: { ...stories, name: 'e2e', include: ['e2e/**/*.test.ts'] } },
      {
        test: {
          ...stories,
          ...onPostgres,
          name: 'e2e-postgres',
          include: ['e2e/stories/**/*.test.ts'],
          exclude: [...shared.exclude, ...[...storiesOfTheGateway, ...storiesOfSqlite].map((name) => `e2e/stories/${name}.test.ts`)],
        },
      },
    ],
  },
})
