import { create } from '@bufbuild/protobuf'
import { AccessStatusSchema } from '@mcpg/proto/gen/delivery'
import type { Talk } from '../link/talking.ts'
import type { Outbox } from '../link/outbox.ts'
import type { GatewayAccess } from './access.ts'

/** Takes access documents during one stream and says what became of each. */
export function accessTalk(access: Pick<GatewayAccess, 'offered'>, outbox: Outbox): Talk {
  return {
    receive(frame) {
      if (frame.case !== 'accessOffer') return
      void access.offered(frame.value).then(({ version, ...verdict }) =>
        outbox.push('access', () => ({
          case: 'accessStatus',
          value: create(AccessStatusSchema, { version: BigInt(version), ...verdict }),
        })),
      )
    },
    close() {},
  }
}
