import type { Command } from 'commander'
import { words as apply } from './commands/apply.words.ts'
import { words as approve } from './commands/approve.words.ts'
import { words as audit } from './commands/audit/words.ts'
import { words as canI } from './commands/can-i.words.ts'
import { words as cluster } from './commands/cluster/words.ts'
import { words as complete } from './commands/complete.words.ts'
import { words as completion } from './commands/completion.words.ts'
import { words as create } from './commands/create/words.ts'
import { words as remove } from './commands/delete.words.ts'
import { words as describe } from './commands/describe.words.ts'
import { words as diff } from './commands/diff.words.ts'
import { words as domain } from './commands/domain/words.ts'
import { words as doctor } from './commands/doctor.words.ts'
import { words as edit } from './commands/edit.words.ts'
import { words as endpointAccess } from './commands/endpoint-access.words.ts'
import { words as enroll } from './commands/enroll/words.ts'
import { words as explain } from './commands/explain.words.ts'
import { words as gatewayStatus } from './commands/gateway-status.words.ts'
import { words as gateway } from './commands/gateway.words.ts'
import { words as get } from './commands/get.words.ts'
import { words as importing } from './commands/import.words.ts'
import { words as install } from './commands/install/words.ts'
import { words as login } from './commands/login.words.ts'
import { words as logout } from './commands/logout.words.ts'
import { words as logs } from './commands/logs.words.ts'
import { words as mcp } from './commands/mcp.words.ts'
import { words as passwd } from './commands/passwd.words.ts'
import { words as patch } from './commands/patch.words.ts'
import { words as plan } from './commands/plan.words.ts'
import { words as project } from './commands/project/words.ts'
import { words as provision } from './commands/provision/words.ts'
import { words as quickstart } from './commands/quickstart.words.ts'
import { words as quota } from './commands/quota/words.ts'
import { words as reject } from './commands/reject.words.ts'
import { words as resume } from './commands/resume.words.ts'
import { words as rollback } from './commands/rollback.words.ts'
import { words as secret } from './commands/secret/words.ts'
import { words as serve } from './commands/serve.words.ts'
import { words as server } from './commands/server/words.ts'
import { words as status } from './commands/status.words.ts'
import { words as stop } from './commands/stop.words.ts'
import { words as token } from './commands/token/words.ts'
import { words as version } from './commands/version.words.ts'
import { words as wait } from './commands/wait.words.ts'
import { words as whoami } from './commands/whoami.words.ts'
import type { Bind, Words } from './context.ts'

/** The words of every command, in the order of the help. They stand beside its code, which is loaded when it runs. */
const all: Words[] = [
  quickstart,
  serve,
  stop,
  status,
  login,
  whoami,
  logout,
  passwd,
  doctor,
  gateway,
  gatewayStatus,
  enroll,
  create,
  project,
  approve,
  reject,
  apply,
  importing,
  plan,
  diff,
  rollback,
  resume,
  get,
  describe,
  remove,
  patch,
  edit,
  explain,
  wait,
  logs,
  server,
  secret,
  canI,
  token,
  endpointAccess,
  provision,
  cluster,
  install,
  quota,
  domain,
  audit,
  mcp,
  version,
  completion,
  complete,
]

export function declareCommands(program: Command, run: Bind): void {
  for (const words of all) words(program, run)
}
