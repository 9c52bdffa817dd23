import { lazy } from 'react'
import { Route, Routes } from 'react-router'
import { Overview } from '../features/overview/overview.tsx'
import { NotFound } from './not-found.tsx'
import { Shell } from './shell.tsx'

const Gateways = lazy(() => import('../features/gateways/gateways.tsx').then((page) => ({ default: page.Gateways })))
const Gateway = lazy(() => import('../features/gateways/gateway.tsx').then((page) => ({ default: page.Gateway })))
const Servers = lazy(() => import('../features/servers/servers.tsx').then((page) => ({ default: page.Servers })))
const Server = lazy(() => import('../features/servers/server.tsx').then((page) => ({ default: page.Server })))
const Tools = lazy(() => import('../features/tools/tools.tsx').then((page) => ({ default: page.Tools })))
const Enrollments = lazy(() => import('../features/enrollments/enrollments.tsx').then((page) => ({ default: page.Enrollments })))
const EnrollmentWizard = lazy(() => import('../features/enrollments/wizard.tsx').then((page) => ({ default: page.EnrollmentWizard })))

/** A page's path is the resource's plural, as in REST and the CLI. */
export function Pages() {
  return (
    <Routes>
      <Route element={<Shell />}>
        <Route index element={<Overview />} />
        <Route path="gateways" element={<Gateways />} />
        <Route path="gateways/:name" element={<Gateway />} />
        <Route path="servers" element={<Servers />} />
        <Route path="servers/:name" element={<Server />} />
        <Route path="tools" element={<Tools />} />
        <Route path="enrollments" element={<Enrollments />} />
        <Route path="enrollments/new" element={<EnrollmentWizard />} />
        <Route path="*" element={<NotFound />} />
      </Route>
    </Routes>
  )
}
