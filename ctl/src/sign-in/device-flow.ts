import * as oidc from 'openid-client'
import { McpgError } from '@mcpg/proto/errors'
import type { Context } from '../context.ts'
import { Interrupted } from '../failure.ts'
import type { TokenCredential } from './credentials.ts'
import { codeExpired, credentialOf, issuerFailure, type Issuer } from './issuer.ts'

/** RFC 8628: a code is shown here and typed in on any other device; this machine needs no browser and no port. */
export async function signInByDevice({ env, stopping }: Context, issuer: Issuer): Promise<TokenCredential> {
  const { configuration, scope } = issuer
  if (!configuration.serverMetadata().device_authorization_endpoint)
    throw new McpgError('failed_precondition', 'no_device_flow', `${issuer.issuer} signs nobody in by a code on another device.`, {
      hint: 'mcpg-ctl login --no-browser',
    })
  try {
    const begun = await oidc.initiateDeviceAuthorization(configuration, { scope })
    env.stderr.write(
      `to sign in, open this address on any device:\n  ${begun.verification_uri}\nand type in the code:\n  ${begun.user_code}\n`,
    )
    if (begun.verification_uri_complete) env.stderr.write(`or open both at once:\n  ${begun.verification_uri_complete}\n`)
    const codeEnds = performance.now() + begun.expires_in * 1000
    const tokens = await oidc
      .pollDeviceAuthorizationGrant(configuration, begun, undefined, { signal: stopping })
      .catch((error: unknown) => {
        throw performance.now() >= codeEnds ? codeExpired(error) : error
      })
    return await credentialOf(issuer, tokens)
  } catch (error) {
    throw stopping.aborted ? new Interrupted() : issuerFailure(error, issuer)
  }
}
