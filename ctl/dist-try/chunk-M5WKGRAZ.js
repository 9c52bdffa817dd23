import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);
import {
  external_exports
} from "./chunk-FMNGHHUN.js";
import {
  McpgError,
  errorCodes
} from "./chunk-UEOGRQH6.js";

// proto/src/problem.ts
var Problem = external_exports.object({
  type: external_exports.string(),
  title: external_exports.string(),
  status: external_exports.number().int(),
  detail: external_exports.string(),
  instance: external_exports.string().optional(),
  code: external_exports.enum(Object.keys(errorCodes)),
  reason: external_exports.string(),
  hint: external_exports.string().optional(),
  requestId: external_exports.string().optional(),
  errors: external_exports.array(external_exports.object({ pointer: external_exports.string(), detail: external_exports.string() })).optional()
});
function problemOf(error, { instance, requestId } = {}) {
  return {
    type: `urn:mcpg:${error.code}:${error.reason}`,
    title: errorCodes[error.code].title,
    status: error.status,
    detail: error.message,
    ...instance ? { instance } : {},
    code: error.code,
    reason: error.reason,
    ...error.hint ? { hint: error.hint } : {},
    ...requestId ? { requestId } : {},
    ...error.violations.length ? { errors: error.violations } : {}
  };
}
function errorOfProblem(problem, retryAfterSeconds) {
  return new McpgError(problem.code, problem.reason, problem.detail, {
    hint: problem.hint,
    violations: problem.errors ?? [],
    status: problem.status,
    retryAfterSeconds
  });
}

export {
  Problem,
  problemOf,
  errorOfProblem
};
