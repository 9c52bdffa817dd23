import { defineConfig } from 'vitest/config'

const shared = { exclude: ['**/node_modules/**', '**/dist/**'], testTimeout: 60_000, hookTimeout: 60_000, pool: 'forks' as const }
const stories = { ...shared, testTimeout: 120_000, globalSetup: ['e2e/chromium.ts', 'e2e/postgres.ts'] }

/** Suites of the control plane that would show nothing new on another database, or that look into files of SQLite. */
const sameOnEveryDatabase = [
  'cp/src/db/**', // runs on both engines by itself
  'cp/src/{config,keeper,main,turns}.test.ts',
  'cp/src/{access,grpc,http,tls}/**',
  'cp/src/config/{compile,probation}.test.ts',
  'cp/src/{calls,logs}/**',
  'cp/src/control/**', // takes the file away
]
/**
 * Stories in which it matters where a control plane keeps what it knows. In the others it hands out a config, or the command line and the
 * gateway are what is told of. `npm run prove -- 11` sets MCPG_EVERY_STORY and runs them too.
 */
const storiesOfTheDatabase = [
  'access',
  'apply',
  'audit',
  'enroll',
  'no-secret',
  'outage',
  'postgres',
  'rest-contract',
  'restart',
  'rollback',
  'secrets',
  'tokens',
]
const isEveryStory = Boolean(process.env['MCPG_EVERY_STORY'])
const storiesOnPostgres = isEveryStory ? ['**/*'] : storiesOfTheDatabase
/** The SQLite file is what it breaks; its counterpart is postgres.test.ts. */
const storyOfSqlite = 'e2e/stories/bad-start.test.ts'

const storiesOnKubernetes = 'e2e/kubernetes/**/*.test.ts'
/** One at a time: a browser drops what it has open when another story makes a network. */
const storiesInBrowser = ['e2e/stories/console*.test.ts', 'e2e/stories/sign-in.test.ts']
const alone = { fileParallelism: false }

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
          globalSetup: ['e2e/postgres.ts', 'e2e/shells.ts'],
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
      {
        test: {
          ...stories,
          name: 'e2e',
          include: ['e2e/**/*.test.ts'],
          exclude: [...shared.exclude, storiesOnKubernetes, ...storiesInBrowser],
        },
      },
      {
        test: { ...stories, ...alone, name: 'e2e-browser', include: storiesInBrowser },
      },
      {
        // The last stage of `.ci/run` and not of `npm test`: it needs root, and builds Kubernetes the first time.
        test: {
          ...stories,
          ...alone,
          name: 'kubernetes',
          include: [storiesOnKubernetes],
          hookTimeout: 240_000,
          globalSetup: ['e2e/kubernetes/binaries.ts'],
        },
      },
      {
        test: {
          ...stories,
          ...(isEveryStory && alone),
          ...onPostgres,
          name: 'e2e-postgres',
          include: storiesOnPostgres.map((name) => `e2e/stories/${name}.test.ts`),
          exclude: [...shared.exclude, storyOfSqlite],
        },
      },
    ],
  },
})
