import { LogPanel } from '../../components/log-panel/log-panel.tsx'
import { PageHead } from '../../components/page-head.tsx'
import { ShowCli } from '../../components/show-cli.tsx'

/** What the control plane itself writes. Logs of servers and gateways stand on their pages. */
export function Logs() {
  return (
    <>
      <PageHead title="Control plane log" actions={<ShowCli commands={[{ what: 'Follow', command: 'mcpg-ctl logs control-plane -f' }]} />}>
        Logs of servers and gateways stand on their own pages.
      </PageHead>
      <LogPanel path="/v1/control/logs" label="Log of the control plane" fileName="control-plane.log" />
    </>
  )
}
