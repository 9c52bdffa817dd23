import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);

// ctl/src/local/program-flags.ts
function programFlags({ settings, globals }, options) {
  const { jsonLogs, logLevel, logFile } = globals;
  const own = Object.entries(options).filter(([, value]) => value !== void 0 && !(Array.isArray(value) && value.length === 0));
  return {
    stateDir: settings.stateDir,
    ...jsonLogs ? { jsonLogs } : {},
    ...logLevel ? { logLevel } : settings.quiet ? { logLevel: "warn" } : {},
    ...logFile ? { logFile } : {},
    ...settings.insecurePlaintext ? { insecurePlaintext: true } : {},
    ...Object.fromEntries(own)
  };
}

export {
  programFlags
};
