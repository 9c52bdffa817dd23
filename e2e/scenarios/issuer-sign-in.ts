import assert from 'node:assert/strict'
import { generateKeyPairSync, sign } from 'node:crypto'
import { copyFileSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '../harness/cleanup.ts'
import { shiftedClock } from '../harness/clock.ts'
import { freePort } from '../harness/free-port.ts'
import { headlessBrowser, startIssuer, type Person } from '../harness/issuer.ts'
import { ctl as run, startControlPlane, talk as begin } from '../harness/programs.ts'
import { until } from '../harness/until.ts'

const vendor = generateKeyPairSync('ed25519')
const licenseEnds = Math.floor(Date.now() / 1000) + 365 * 86_400
const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

function license(): string {
  const signed = `${encoded({ alg: 'EdDSA' })}.${encoded({ sub: 'acme', exp: licenseEnds })}`
  return `${signed}.${sign(null, Buffer.from(signed), vendor.privateKey).toString('base64url')}`
}

const people: Person[] = [
  { sub: 'ada', email: 'Ada@Example.com', groups: ['platform'], license: license() },
  { sub: 'bob', email: 'bob@example.com' },
]

export type World = Awaited<ReturnType<typeof startWorld>>

/** A real issuer and a control plane of mode `oidc` that takes its word; whoever comes to the issuer is `ada` at once. */
export async function startWorld() {
  const port = await freePort()
  const issuer = await startIssuer({ redirectUri: `http://127.0.0.1:${port}/v1/auth/oidc/callback`, people })
  const controlPlane = await startTrusting(issuer.url, { http: `127.0.0.1:${port}` })
  return { issuer, controlPlane, people, laptop: (http = controlPlane.http) => laptop(http) }
}

/** A control plane that takes the word of this issuer and checks licenses. */
async function startTrusting(issuer: string, place: { http?: string; env?: Record<string, string> }) {
  const stateDir = temporaryFolder()
  const [publicKey, secret] = [join(stateDir, 'license.pem'), join(stateDir, 'client-secret')]
  writeFileSync(publicKey, vendor.publicKey.export({ type: 'spki', format: 'pem' }))
  writeFileSync(secret, 'a secret of the test\n', { mode: 0o600 })
  const client = ['--oidc-issuer', issuer, '--oidc-client-id', 'mcpg', '--oidc-client-secret-file', secret]
  return startControlPlane({
    stateDir,
    args: ['--auth-mode', 'oidc', ...client, '--admin-group', 'platform', '--license-public-key-file', publicKey],
    ...place,
  })
}

/** A machine of its own: another state dir, and the control plane named by its URL. */
function laptop(http: string) {
  const stateDir = temporaryFolder()
  const file = join(stateDir, 'credentials.json')
  return {
    stateDir,
    file,
    ctl: (args: string[], env: Record<string, string> = {}) => run([...args, '--cp-url', http], { stateDir, env }),
    talk: (args: string[], env: Record<string, string> = {}) => begin([...args, '--cp-url', http], { stateDir, env }),
    kept: () => JSON.parse(readFileSync(file, 'utf8')).controlPlanes[http] as Record<string, string>,
  }
}

export type Laptop = ReturnType<typeof laptop>
type Talk = ReturnType<Laptop['talk']>

const addressIn = (talking: Talk, pattern = /open this address[^]*?(http:\S+)\s/) => {
  const ended = talking.finished.then(({ code, stderr }): never =>
    assert.fail(`ended with ${code} before it said ${pattern.source}: ${stderr}`),
  )
  return Promise.race([until(pattern.source, () => pattern.exec(talking.said())?.[1] ?? null), ended])
}
const isLoopbackAnswer = (url: URL) => url.pathname === '/callback'

/** Signs in as a script does that has a browser without a window. */
export async function signIn(machine: Laptop, more: string[] = []) {
  const talking = machine.talk(['login', ...more])
  await headlessBrowser().open(await addressIn(talking))
  talking.end()
  return talking.finished
}

async function byLoopback({ controlPlane, issuer, laptop }: World): Promise<void> {
  const machine = laptop()
  const done = await signIn(machine)
  assert.deepEqual([done.code, done.stdout.split('\n')[0]], [0, `signed in at ${controlPlane.http} as ada@example.com`], done.stderr)
  assert.match(done.stdout, /license: valid of acme until 2/)
  assert.equal(statSync(machine.file).mode & 0o777, 0o600)
  assert.equal(machine.kept()['license'], people[0]!.license)
  assert.equal((await machine.ctl(['get', 'servers'])).code, 0)
  const { stdout: status } = await machine.ctl(['status'])
  assert.match(status, /sign-in: +oidc, signed in as ada@example\.com/)
  assert.match(status, /license: +valid of acme until/)

  // Named by hand, and by its published variable; a page that is no answer does not end the waiting.
  const named = laptop()
  const talking = named.talk(['login', '--client-id', 'mcpg-ctl'], { MCPG_FED_ISSUER: issuer.url })
  const address = new URL(await addressIn(talking))
  const elsewhere = new URL(address.searchParams.get('redirect_uri')!)
  elsewhere.search = 'code=made-up&state=of-another'
  assert.equal((await fetch(elsewhere)).status, 400)
  assert.equal(address.searchParams.get('code_challenge_method'), 'S256')
  await headlessBrowser().open(address.href)
  assert.equal((await talking.finished).code, 0)

  issuer.state.who = null
  const declined = await signIn(laptop())
  issuer.state.who = 'ada'
  assert.deepEqual([declined.code, declined.stdout], [3, ''])
  assert.match(declined.stderr, /error: The sign-in was declined at http/)
}

async function byPaste({ laptop }: World): Promise<void> {
  for (const form of ['address', 'code'] as const) {
    const machine = laptop()
    const talking = machine.talk(['login', '--no-browser'])
    const { url } = await headlessBrowser().open(await addressIn(talking), isLoopbackAnswer)
    talking.write('http://127.0.0.1/callback?code=x&state=of-another')
    await until('the wrong paste is told', () => talking.said().includes('the end of another sign-in') || null)
    talking.write(form === 'address' ? url.href : url.searchParams.get('code')!)
    const { code, stderr } = await talking.finished
    assert.equal(code, 0, `${form}: ${stderr}`)
    assert.equal((await machine.ctl(['get', 'servers'])).code, 0)
  }
  const wrong = laptop().talk(['login', '--no-browser'])
  await addressIn(wrong)
  wrong.end('what is this\n')
  const { code, stderr } = await wrong.finished
  assert.deepEqual([code, /error: This is neither an address nor a code/.test(stderr)], [2, true])
  const left = laptop().talk(['login', '--no-browser'])
  await addressIn(left)
  left.interrupt()
  assert.equal((await left.finished).code, 130)
}

async function byDevice({ laptop }: World): Promise<void> {
  const begun = async (machine: Laptop) => {
    const talking = machine.talk(['login', '--device'])
    return { talking, address: await addressIn(talking), code: await addressIn(talking, /type in the code:\s+(\S+)/) }
  }
  const [machine, refused] = [laptop(), laptop()]
  const [confirmed, aborted] = [await begun(machine), await begun(refused)]
  await headlessBrowser().enterCode(confirmed.address, confirmed.code)
  await headlessBrowser().enterCode(aborted.address, aborted.code, 'abort')
  const [yes, no] = await Promise.all([confirmed.talking.finished, aborted.talking.finished])
  assert.equal(yes.code, 0, yes.stderr)
  assert.equal((await machine.ctl(['get', 'servers'])).code, 0)
  assert.deepEqual([no.code, /declined/.test(no.stderr)], [3, true], no.stderr)
}

async function wrongIssuer({ issuer, laptop }: World): Promise<void> {
  const other = await startIssuer({ redirectUri: 'http://127.0.0.1/unused', people })
  const login = (url: string) => laptop().ctl(['login', '--issuer', url])
  const early = await login(other.url)
  assert.deepEqual([early.code, /takes no sign-in of .*\nhint: mcpg-ctl login --issuer http/.test(early.stderr)], [3, true], early.stderr)
  assert.equal((await login('not a URL')).code, 2)
  await other.close()
  // Named by hand, the issuer is enough: the control plane need not be there.
  const away = laptop(`http://127.0.0.1:${await freePort()}`)
  const done = await signIn(away, ['--issuer', issuer.url])
  assert.deepEqual([done.code, /kept and shown to it later/.test(done.stderr)], [0, true], done.stderr)
  assert.match((await away.ctl(['status'])).stdout, /sign-in: kept for ada@example\.com\nlicense: kept, not checked/)
  assert.match((await laptop().ctl(['get', 'servers'], { MCPG_TOKEN: 'a.b.c' })).stderr, /not an id_token/)
  assert.equal((await laptop().ctl(['login', '--username', 'ada'])).code, 2)
}

/** Signs in with an id_token of so many seconds; later ones last an hour again. */
async function signInFor({ issuer, laptop }: World, seconds: number): Promise<Laptop> {
  issuer.state.idTokenSeconds = seconds
  const machine = laptop()
  const done = await signIn(machine)
  issuer.state.idTokenSeconds = 3600
  assert.equal(done.code, 0, done.stderr)
  return machine
}

const untilPast = (machine: Laptop) => until('the end of the id_token', () => Date.now() > Date.parse(machine.kept()['expiresAt']!) || null)

async function refreshedTogether(world: World, rounds: number): Promise<void> {
  const { refreshes } = world.issuer
  const together = async (machine: Laptop, count: number) => {
    const before = refreshes.granted
    const done = await Promise.all(Array.from({ length: count }, () => machine.ctl(['get', 'servers'])))
    for (const { code, stderr } of done) assert.equal(code, 0, stderr)
    assert.equal(refreshes.granted - before, 1, 'refreshes of one sign-in by commands at the same time')
  }
  for (let round = 0; round < rounds; round++) {
    // In its last minute the token still serves whoever comes second; past its end everybody waits for the one who asks.
    const ending = await signInFor(world, 45)
    const before = ending.kept()
    await together(ending, 2)
    assert.notEqual(ending.kept()['refreshToken'], before['refreshToken'])
    assert.equal(ending.kept()['license'], before['license'])
    const past = await signInFor(world, 1)
    await untilPast(past)
    await together(past, 3)
  }
  assert.equal(refreshes.refused, 0)
}

async function refreshExpired(world: World): Promise<void> {
  const { issuer } = world
  issuer.state.refreshTokenSeconds = 1
  const machine = await signInFor(world, 1)
  issuer.state.refreshTokenSeconds = 86_400
  await untilPast(machine)
  const before = issuer.refreshes.refused
  const done = await Promise.all([machine.ctl(['get', 'servers']), machine.ctl(['get', 'servers'])])
  for (const { code, stderr } of done) {
    assert.equal(code, 3, stderr)
    assert.match(stderr, /error: Your sign-in through http\S+ is over\.\nhint: mcpg-ctl login --issuer http/)
  }
  assert.equal((await machine.ctl(['get', 'servers'])).code, 3)
  assert.equal(issuer.refreshes.refused - before, 1, 'a refused refresh token is shown once')
  assert.equal((await signIn(machine)).code, 0)
  assert.equal((await machine.ctl(['get', 'servers'])).code, 0)
}

async function revoked(world: World): Promise<void> {
  const { controlPlane } = world
  const machine = await signInFor(world, 1)
  const copy = world.laptop()
  copyFileSync(machine.file, copy.file)
  // The session of a browser ends with `logout --everywhere` of its person, wherever that is typed.
  const browser = headlessBrowser()
  await browser.open(
    `${controlPlane.http}/v1/auth/oidc/start`,
    (url) => url.origin === controlPlane.http && !url.pathname.startsWith('/v1/'),
  )
  const session = { MCPG_SESSION_COOKIE: browser.cookie(new URL(controlPlane.http).host, 'mcpg_sid') ?? '' }
  const stranger = world.laptop()
  assert.equal((await stranger.ctl(['get', 'servers'], session)).code, 0)
  const watching = stranger.talk(['get', 'servers', '--watch', '-o', 'ndjson'], session)
  const applied = await machine.ctl(['create', 'server', 'seen', '--package-name', 'x', '--runtime', 'node'])
  assert.equal(applied.code, 0, applied.stderr)
  await until('the watch tells of a server', () => watching.said().includes('seen') || null)

  const out = await machine.ctl(['logout', '--everywhere'])
  assert.deepEqual([out.code, out.stdout, out.stderr], [0, `signed out of ${controlPlane.http}, everywhere\n`, ''])
  assert.equal(machine.kept(), undefined)
  assert.equal((await stranger.ctl(['get', 'servers'], session)).code, 3)
  assert.equal((await watching.finished).code, 3, 'what goes on ends with the session, too')
  await untilPast(copy)
  const copied = await copy.ctl(['get', 'servers'])
  assert.deepEqual([copied.code, /is over/.test(copied.stderr)], [3, true], copied.stderr)
}

async function clockSkew({ issuer, laptop }: World): Promise<void> {
  const behind = await startTrusting(issuer.url, { env: shiftedClock('-5m') })
  const refused = await signIn(laptop(behind.http))
  assert.equal(refused.code, 3, refused.stderr)
  assert.match(refused.stderr, /two clocks differ by more than 60 s\.\nhint: synchronize the clocks/)
  await behind.stop()
  const little = await startTrusting(issuer.url, { env: shiftedClock('-50s') })
  assert.equal((await signIn(laptop(little.http))).code, 0)
  await little.stop()
}

async function issuerDown(world: World): Promise<void> {
  const { issuer, controlPlane, laptop } = world
  const [ending, signedIn] = [await signInFor(world, 45), await signInFor(world, 3600)]
  await issuer.close()
  const late = await laptop().ctl(['login'])
  assert.equal(late.code, 4, late.stderr)
  assert.match(late.stderr, /error: http\S+ does not answer as an OpenID issuer\.\ncause: .+\nhint: try again/)
  // Who is signed in goes on, in the last minute of a token, too.
  assert.equal((await ending.ctl(['get', 'servers'])).code, 0)
  const out = await signedIn.ctl(['logout'])
  assert.deepEqual([out.code, out.stdout, signedIn.kept()], [0, `signed out of ${controlPlane.http}\n`, undefined], out.stderr)
  assert.match(out.stderr, /does not answer as an OpenID issuer\. What it gave is forgotten here/)
}

/** What signing in through an issuer from the command line has to stand; each throws with what was wrong. The last one ends the issuer. */
export const cases = ({ rounds = 1 } = {}): Record<string, (world: World) => Promise<void>> => ({
  'PKCE on a loopback port, with the license': byLoopback,
  'pasted redirect and pasted code': byPaste,
  'device flow': byDevice,
  'refresh by commands at the same time': (world) => refreshedTogether(world, rounds),
  'expired refresh': refreshExpired,
  'wrong issuer, and a control plane that is away': wrongIssuer,
  'clock skew': clockSkew,
  'revoked session': revoked,
  'issuer down': issuerDown,
})
