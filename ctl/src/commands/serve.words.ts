import type { Words } from '../context.ts'
import { databaseUrl, databaseUrlFile, detach, several } from '../options.ts'

export const words: Words = (program, run) => {
  program
    .command('serve')
    .description('run the control plane')
    .option('--bind-http <address>', 'REST and console (default 127.0.0.1:7843); TLS only, beyond loopback')
    .option('--bind-grpc <address>', 'gateways (default 127.0.0.1:7844); TLS with client certificates, beyond loopback')
    .option('--tls-cert-file <file>', 'certificate chain of --bind-http, PEM (default: one of our own authority, as gateways always see)')
    .option('--tls-key-file <file>', 'its key, PEM; both files are read again when they change')
    .option('--insecure-allow-unauthenticated', 'let everybody who reaches a --bind-http beyond loopback do everything, without sign-in')
    .addOption(several('--endpoint-domain <domain>', 'public names at or below it may be certified for endpoints of gateways'))
    .addOption(databaseUrl())
    .addOption(databaseUrlFile())
    .option(
      '--auth-mode <mode>',
      'who may call the API: none (default on loopback), local with e-mail and password (default beyond it), oidc',
    )
    .option('--oidc-issuer <url>', 'OpenID issuer of --auth-mode oidc')
    .option('--oidc-client-id <id>', 'the id under which the issuer knows this control plane')
    .option('--oidc-client-secret-file <file>', 'its secret (default: a public client)')
    .addOption(several('--oidc-audience <id>', 'whom an id_token may be made for (default: the client id and mcpg-ctl)'))
    .addOption(several('--admin-subject <sub>', 'subject of the issuer who is platform admin'))
    .addOption(several('--admin-group <group>', 'group of the issuer whose members are platform admins'))
    .option('--license-public-key-file <file>', 'Ed25519 public key (PEM) that licenses of issuers are checked with')
    .option('--external-url <url>', 'the URL under which others reach REST and console')
    .option('--external-grpc <url>', 'the URL under which gateways reach this control plane')
    .option('--gateway-image <image>', 'image of managed gateways on Kubernetes, without its tag (default: mcpg/gateway)')
    .addOption(several('--dns-server <address>', 'where the TXT records of domains are looked up (default: as this machine does)'))
    .option('--master-key-file <file>', 'key that seals all others (default: master.key in the state dir)')
    .addOption(several('--allowed-host <name>', 'further name in the Host header'))
    .addOption(several('--allowed-origin <origin>', 'further Origin of browsers'))
    .addOption(several('--trusted-proxy <address>', 'proxy whose X-Forwarded-For counts'))
    .addOption(detach())
    .action(run(() => import('./serve.ts')))
}
