import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);
import {
  external_exports
} from "./chunk-FMNGHHUN.js";

// proto/src/rest/control.ts
var Version = external_exports.object({ version: external_exports.string(), protocol: external_exports.object({ min: external_exports.number(), max: external_exports.number() }) });
var AuthStatus = external_exports.object({ mode: external_exports.enum(["none", "local", "oidc"]) });
var ControlStatus = external_exports.object({
  version: external_exports.string(),
  pid: external_exports.number().int(),
  startedAt: external_exports.string(),
  uptimeSeconds: external_exports.number(),
  authMode: external_exports.enum(["none", "local", "oidc"]),
  endpoints: external_exports.object({ http: external_exports.string(), grpc: external_exports.string(), console: external_exports.string() }),
  database: external_exports.object({
    engine: external_exports.enum(["sqlite", "postgresql"]),
    sizeBytes: external_exports.number(),
    migrations: external_exports.number().int(),
    rows: external_exports.record(external_exports.string(), external_exports.number())
  }),
  gateways: external_exports.object({ total: external_exports.number().int(), online: external_exports.number().int() }),
  servers: external_exports.number().int()
});

export {
  Version,
  AuthStatus,
  ControlStatus
};
