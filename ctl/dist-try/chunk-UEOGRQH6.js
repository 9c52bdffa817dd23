import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);

// proto/src/errors.ts
var errorCodes = {
  invalid: { http: 400, grpc: 3, exit: 2, title: "Invalid request" },
  unsupported: { http: 405, grpc: 12, exit: 2, title: "Not supported" },
  too_large: { http: 413, grpc: 8, exit: 2, title: "Too large" },
  unauthenticated: { http: 401, grpc: 16, exit: 3, title: "Not signed in" },
  forbidden: { http: 403, grpc: 7, exit: 3, title: "Forbidden" },
  not_found: { http: 404, grpc: 5, exit: 5, title: "Not found" },
  conflict: { http: 409, grpc: 6, exit: 6, title: "Conflict" },
  gone: { http: 410, grpc: 9, exit: 6, title: "Gone" },
  failed_precondition: { http: 409, grpc: 9, exit: 6, title: "The state forbids it" },
  locked: { http: 423, grpc: 9, exit: 6, title: "Locked" },
  rate_limited: { http: 429, grpc: 8, exit: 4, title: "Too many requests" },
  unavailable: { http: 503, grpc: 14, exit: 4, title: "Unavailable" },
  timeout: { http: 504, grpc: 4, exit: 8, title: "Took too long" },
  internal: { http: 500, grpc: 13, exit: 1, title: "Internal error" }
};
var McpgError = class extends Error {
  name = "McpgError";
  code;
  reason;
  hint;
  violations;
  status;
  retryAfterSeconds;
  constructor(code, reason, message, options = {}) {
    super(message, options.cause === void 0 ? void 0 : { cause: options.cause });
    this.code = code;
    this.reason = reason;
    this.hint = options.hint;
    this.violations = options.violations ?? [];
    this.status = options.status ?? errorCodes[code].http;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
};
function exitCodeOf(error) {
  if (!(error instanceof McpgError)) return 1;
  return error.reason === "port_taken" ? 1 : errorCodes[error.code].exit;
}

export {
  errorCodes,
  McpgError,
  exitCodeOf
};
