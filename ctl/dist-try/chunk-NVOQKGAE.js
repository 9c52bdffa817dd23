import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);

// proto/src/version.ts
var version = "0.1.0";
var protocolRevision = { min: 1, max: 1 };

export {
  version,
  protocolRevision
};
