import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);

// ctl/src/api/paths.ts
var part = encodeURIComponent;
var workspacePath = ({ org, workspace }) => `/v1/orgs/${part(org)}/workspaces/${part(workspace)}`;
var environmentPath = (scope) => `${workspacePath(scope)}/environments/${part(scope.environment)}`;
var listPath = (scope, plural) => `${workspacePath(scope)}/${plural}`;
var objectPath = (scope, plural, name) => `${listPath(scope, plural)}/${part(name)}`;

export {
  workspacePath,
  environmentPath,
  listPath,
  objectPath
};
