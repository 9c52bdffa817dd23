import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '../harness/cleanup.ts'
import { command, type Row } from './row.ts'

const root = join(import.meta.dirname, '../..')

/** What may be wrong, and the test that reads the message about it: a file, and what the name of the test holds. */
const cases: [what: string, file: string, test: string][] = [
  ['e-mail case and duplicates', 'cp/src/access/kinds.test.ts', 'is named by an e-mail in lower case, once'],
  ['group cycles', 'cp/src/access/kinds.test.ts', 'groups that contain themselves, by name'],
  ['roles naming unknown kinds', 'cp/src/access/kinds.test.ts', 'by every place where it stands: unknown kinds'],
  ['TTL in the past', 'cp/src/tokens/tokens.test.ts', 'is refused with every violation, and in the past'],
  ['issuer down at boot', 'cp/src/accounts/bearer.test.ts', 'at boot keeps nothing from starting'],
  ['issuer down at sign-in', 'e2e/stories/sign-in-oidc.test.ts', 'signs a person in through the issuer'],
  ['two subjects with one e-mail', 'cp/src/accounts/bearer.test.ts', 'does not make two subjects one'],
  ['imports with comments, trailing commas and duplicate names', 'ctl/src/import/import.test.ts', 'comes with comments, trailing commas'],
  ['imports with unknown keys', 'ctl/src/import/import.test.ts', 'and unknown keys are kept aside and listed'],
]

type Report = { testResults: { name: string; assertionResults: { fullName: string; status: string }[] }[] }

export const row: Row = {
  asked:
    'Bad input: e-mail case and duplicates, group cycles, roles naming unknown kinds, TTL in the past, issuer down at boot and at sign-in, two subjects with one e-mail, imports with comments, trailing commas, duplicate names and unknown keys (kept aside and listed): each has its message and its test',
  command: command(26),
  async run() {
    const files = [...new Set(cases.map(([, file]) => file))]
    const reports = [
      await runTests(
        'unit',
        files.filter((file) => !file.startsWith('e2e/')),
      ),
      await runTests(
        'e2e',
        files.filter((file) => file.startsWith('e2e/')),
      ),
    ]
    const wrong = cases.flatMap(([what, file, test]) => {
      const all = reports.flatMap(({ testResults }) => testResults)
      const results = all.find(({ name }) => name.endsWith(file))?.assertionResults ?? []
      const meant = results.filter(({ fullName }) => fullName.includes(test))
      if (meant.length === 0) return [`${what}: no test`]
      return meant.every(({ status }) => status === 'passed') ? [] : [`${what}: failed`]
    })
    return {
      measured: `${cases.length - wrong.length} of ${cases.length} refused with a message that a test reads${wrong.length > 0 ? `: ${wrong.join('; ')}` : ''}`,
      ok: wrong.length === 0,
    }
  },
}

async function runTests(project: string, files: string[]): Promise<Report> {
  const outputFile = join(temporaryFolder(), 'report.json')
  const args = ['run', '--project', project, '--reporter=json', `--outputFile=${outputFile}`, ...files]
  await new Promise<void>((resolve) => {
    // Its exit code says less than its report.
    execFile(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), ...args], { cwd: root }, () => resolve())
  })
  return JSON.parse(readFileSync(outputFile, 'utf8')) as Report
}
