import { lazy, Suspense } from 'react'
import { Route, Routes } from 'react-router'
import { Overview } from '../features/overview/overview.tsx'
import { Loading } from '../components/loading.tsx'
import { NotFound } from './not-found.tsx'
import { Shell } from './shell.tsx'
import { useSignInPage } from './use-sign-in-page.ts'

const signIn = () => import('../features/sign-in/sign-in.tsx')
const gateways = () => import('../features/gateways/gateways.tsx')
const gateway = () => import('../features/gateways/gateway.tsx')
const servers = () => import('../features/servers/servers.tsx')
const server = () => import('../features/servers/server.tsx')
const tools = () => import('../features/tools/tools.tsx')
const tool = () => import('../features/tools/tool.tsx')
const projects = () => import('../features/projects/projects.tsx')
const project = () => import('../features/projects/project.tsx')
const operations = () => import('../features/provisioning/operations.tsx')
const operation = () => import('../features/provisioning/operation.tsx')
const clusters = () => import('../features/clusters/clusters.tsx')
const cluster = () => import('../features/clusters/cluster.tsx')
const quotas = () => import('../features/quotas/quotas.tsx')
const domains = () => import('../features/domains/domains.tsx')
const domain = () => import('../features/domains/domain.tsx')
const events = () => import('../features/events/events.tsx')
const logs = () => import('../features/logs/logs.tsx')
const audit = () => import('../features/audit/audit.tsx')
const secrets = () => import('../features/secrets/secrets.tsx')
const secret = () => import('../features/secrets/secret.tsx')
const enrollments = () => import('../features/enrollments/enrollments.tsx')
const orgs = () => import('../features/orgs/orgs.tsx')
const access = () => import('../features/access/access.tsx')
const tokens = () => import('../features/tokens/tokens.tsx')
const enrollmentWizard = () => import('../features/enrollments/wizard.tsx')

const SignIn = lazy(() => signIn().then((page) => ({ default: page.SignIn })))
const Gateways = lazy(() => gateways().then((page) => ({ default: page.Gateways })))
const Gateway = lazy(() => gateway().then((page) => ({ default: page.Gateway })))
const Servers = lazy(() => servers().then((page) => ({ default: page.Servers })))
const Server = lazy(() => server().then((page) => ({ default: page.Server })))
const Tools = lazy(() => tools().then((page) => ({ default: page.Tools })))
const Tool = lazy(() => tool().then((page) => ({ default: page.Tool })))
const Projects = lazy(() => projects().then((page) => ({ default: page.Projects })))
const Project = lazy(() => project().then((page) => ({ default: page.Project })))
const Operations = lazy(() => operations().then((page) => ({ default: page.Operations })))
const OperationPage = lazy(() => operation().then((page) => ({ default: page.OperationPage })))
const Clusters = lazy(() => clusters().then((page) => ({ default: page.Clusters })))
const ClusterPage = lazy(() => cluster().then((page) => ({ default: page.ClusterPage })))
const QuotasPage = lazy(() => quotas().then((page) => ({ default: page.QuotasPage })))
const Domains = lazy(() => domains().then((page) => ({ default: page.Domains })))
const DomainPage = lazy(() => domain().then((page) => ({ default: page.DomainPage })))
const Events = lazy(() => events().then((page) => ({ default: page.Events })))
const Logs = lazy(() => logs().then((page) => ({ default: page.Logs })))
const Audit = lazy(() => audit().then((page) => ({ default: page.Audit })))
const Secrets = lazy(() => secrets().then((page) => ({ default: page.Secrets })))
const Secret = lazy(() => secret().then((page) => ({ default: page.Secret })))
const Enrollments = lazy(() => enrollments().then((page) => ({ default: page.Enrollments })))
const Orgs = lazy(() => orgs().then((page) => ({ default: page.Orgs })))
const Access = lazy(() => access().then((page) => ({ default: page.Access })))
const Tokens = lazy(() => tokens().then((page) => ({ default: page.Tokens })))
const EnrollmentWizard = lazy(() => enrollmentWizard().then((page) => ({ default: page.EnrollmentWizard })))

/** Fetches every page behind the first one, so that the console can still be walked when the control plane is away. */
export async function prefetchPages(): Promise<void> {
  await Promise.allSettled(
    [
      signIn,
      gateways,
      gateway,
      servers,
      server,
      tools,
      tool,
      projects,
      project,
      operations,
      operation,
      clusters,
      cluster,
      quotas,
      domains,
      domain,
      events,
      logs,
      audit,
      secrets,
      secret,
      enrollments,
      enrollmentWizard,
      orgs,
      access,
      tokens,
    ].map((load) => load()),
  )
}

/** A page's path is the resource's plural, as in REST and the CLI. */
export function Pages() {
  useSignInPage()
  return (
    <Routes>
      <Route
        path="login"
        element={
          <Suspense fallback={<Loading />}>
            <SignIn />
          </Suspense>
        }
      />
      <Route element={<Shell />}>
        <Route index element={<Overview />} />
        <Route path="gateways" element={<Gateways />} />
        <Route path="gateways/:name" element={<Gateway />} />
        <Route path="servers" element={<Servers />} />
        <Route path="servers/:name" element={<Server />} />
        <Route path="tools" element={<Tools />} />
        <Route path="tools/:server/:name" element={<Tool />} />
        <Route path="projects" element={<Projects />} />
        <Route path="projects/:name" element={<Project />} />
        <Route path="operations" element={<Operations />} />
        <Route path="operations/:id" element={<OperationPage />} />
        <Route path="clusters" element={<Clusters />} />
        <Route path="clusters/:name" element={<ClusterPage />} />
        <Route path="quotas" element={<QuotasPage />} />
        <Route path="domains" element={<Domains />} />
        <Route path="domains/:host" element={<DomainPage />} />
        <Route path="events" element={<Events />} />
        <Route path="logs" element={<Logs />} />
        <Route path="audit" element={<Audit />} />
        <Route path="secrets" element={<Secrets />} />
        <Route path="secrets/:name" element={<Secret />} />
        <Route path="orgs" element={<Orgs />} />
        <Route path="access" element={<Access />} />
        <Route path="tokens" element={<Tokens />} />
        <Route path="enrollments" element={<Enrollments />} />
        <Route path="enrollments/new" element={<EnrollmentWizard />} />
        <Route path="*" element={<NotFound />} />
      </Route>
    </Routes>
  )
}
