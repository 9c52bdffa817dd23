const allowed = /^(PATH|HOME|LANG|LC_[A-Z]+|TMPDIR|TZ)$/
/** Without these a Windows program does not start. */
const allowedOnWindows = /^(PATH|PATHEXT|SYSTEMROOT|WINDIR|COMSPEC|TEMP|TMP|USERPROFILE|APPDATA|LOCALAPPDATA|PROGRAMDATA)$/i

/** The environment of a server: an allow list, because the agent's own holds tokens and keys; then what its definition asks for. */
export function childEnvironment(
  { env, inheritEnv }: { env: Record<string, string>; inheritEnv: string[] },
  own: NodeJS.ProcessEnv = process.env,
): Record<string, string> {
  const pattern = process.platform === 'win32' ? allowedOnWindows : allowed
  const wanted = Object.keys(own).filter((name) => pattern.test(name) || inheritEnv.includes(name))
  return { ...Object.fromEntries(wanted.map((name) => [name, own[name] ?? ''])), ...env }
}
