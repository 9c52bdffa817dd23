import type { Words } from '../context.ts'
import { detach, several } from '../options.ts'

export const words: Words = (program, run) => {
  program
    .command('gateway')
    .description('run a gateway agent')
    .option('--enrollment-url <url>', 'one-time URL of `enroll create`; better MCPG_ENROLLMENT_URL')
    .option('--enrollment-url-file <file>', 'file that holds that URL; it may be gone once it was used')
    .option('--attestation-token-file <file>', 'token of the pod that it runs in, for a URL that asks for one')
    .option('--cp-grpc <url>', 'endpoint of the control plane (default: what the enrollment says, else http://127.0.0.1:7844)')
    .option('--instance-uid <uid>', 'identifier of this installation (default: host name and 6 hex)')
    .option('--name <name>', 'folder of this agent under <state>/gateways (default: default)')
    .option('--bind <address>', 'MCP endpoint (default 127.0.0.1:7845, or the next free port); TLS only, beyond loopback')
    .option('--tls-cert-file <file>', 'certificate chain of --bind, PEM (default: one by the authority of the control plane)')
    .option('--tls-key-file <file>', 'its key, PEM; both files are read again when they change')
    .option('--insecure-allow-unauthenticated', 'let everybody who reaches a --bind beyond loopback call every tool, without a token')
    .addOption(several('--allowed-host <name>', 'further name in the Host header'))
    .addOption(several('--allowed-origin <origin>', 'further Origin of browsers'))
    .option('--re-enroll', 'give up the stored identity and take a new one')
    .option('--fix-permissions', 'set the mode of the state dir right')
    .addOption(detach())
    .action(run(() => import('./gateway.ts')))
}
