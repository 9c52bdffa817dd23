// Who may import whom (ARCHITECTURE.md, Rooms). A planted violation of each rule is a test: scripts/arrows.test.ts.
const notTests = '\\.(test|prove)\\.tsx?$|/test/'
module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'proto-is-the-bottom', severity: 'error', from: { path: '^proto/' }, to: { path: '^(core|cp|gateway-agent|ctl|ui|e2e)/' } },
    { name: 'proto-has-no-node', severity: 'error', from: { path: '^proto/src/', pathNot: notTests }, to: { dependencyTypes: ['core'] } },
    // Every command that knows a kind would load protobuf with it.
    {
      name: 'kinds-know-no-wire',
      severity: 'error',
      from: { path: '^proto/src/(kinds|kinds/.*|rest/.*|status)\\.ts$' },
      to: { path: '^proto/src/(gen/|status-wire)' },
    },
    { name: 'core-knows-no-program', severity: 'error', from: { path: '^core/' }, to: { path: '^(proto|cp|gateway-agent|ctl|ui|e2e)/' } },
    {
      name: 'programs-meet-only-on-the-wire',
      severity: 'error',
      from: { path: '^(cp|gateway-agent|ui)/' },
      to: { path: '^(cp|gateway-agent|ctl|ui|e2e)/', pathNot: '^$1/' },
    },
    {
      name: 'ctl-starts-programs-by-their-entry',
      severity: 'error',
      from: { path: '^ctl/' },
      to: { path: '^(cp|gateway-agent|ui|e2e)/', pathNot: '^(cp|gateway-agent)/src/main\\.ts$' },
    },
    {
      name: 'features-use-services-only',
      severity: 'error',
      from: { path: '^cp/src/([^/]+)/', pathNot: notTests },
      to: { path: '^cp/src/[^/]+/(store|routes|rpc)\\.ts$', pathNot: '^cp/src/$1/' },
    },
    {
      name: 'services-know-no-transport',
      severity: 'error',
      from: { path: '^cp/src/.*/(service|store)\\.ts$' },
      to: { path: 'node_modules/(fastify|@grpc|@connectrpc)/' },
    },
    {
      name: 'two-doors-to-the-database',
      severity: 'error',
      from: { path: '^cp/src/', pathNot: `^cp/src/db/|${notTests}` },
      to: { path: 'node_modules/(@prisma|better-sqlite3|pg)/|^cp/src/db/generated/' },
    },
    {
      name: 'nobody-imports-app',
      severity: 'error',
      from: { path: '^(cp|gateway-agent)/src/', pathNot: `^(cp|gateway-agent)/src/main\\.ts$|${notTests}` },
      to: { path: '^(cp/src/app|gateway-agent/src/agent)\\.ts$' },
    },
    { name: 'only-known-packages', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'no-test-code-in-programs',
      severity: 'error',
      from: { path: '^(proto|core|cp|gateway-agent|ctl|ui)/src/', pathNot: notTests },
      to: { path: `^(proto|core|cp|gateway-agent|ctl|ui)/.*(${notTests})` },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules|/dist/|proto/src/gen' },
    exclude: { path: '/dist/|cp/src/db/generated' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.tsx', '.js', '.mjs', '.json'],
    },
  },
}
