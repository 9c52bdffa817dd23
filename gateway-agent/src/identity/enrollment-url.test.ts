import { expect, it } from 'vitest'
import { parseEnrollmentUrl } from './enrollment-url.ts'

const pin = `sha256:${'A'.repeat(43)}`
const other = `sha256:${'B'.repeat(42)}_`
const parse = (text: string, insecurePlaintext = false) => parseEnrollmentUrl(text, { insecurePlaintext })

it.each([
  'http://127.0.0.1:7843/enroll/abc123',
  'http://127.0.0.1:7843/enroll/abc123/',
  ' http://127.0.0.1:7843/enroll/abc123\n',
  `http://127.0.0.1:7843/enroll/abc123#pin=${pin}`,
])('reads %j', (text) => {
  expect(parse(text)).toMatchObject({ origin: 'http://127.0.0.1:7843', token: 'abc123', isExposed: false, pins: [] })
})

it('reads the pins behind https, two while an authority is replaced', () => {
  expect(parse(`https://cp.example.com:7843/enroll/abc123#pin=${pin}`)).toMatchObject({ pins: [pin] })
  expect(parse(`https://127.0.0.1:7843/enroll/abc123#pin=${pin}=,${other}`)).toMatchObject({ pins: [pin, other] })
  expect(parse('https://cp.example.com:7843/enroll/abc123#')).toMatchObject({ pins: [] })
})

it.each([
  ['not a URL', 'abc'],
  ['another scheme', 'ftp://127.0.0.1/enroll/abc123'],
  ['no scheme', 'localhost:7843/enroll/abc123'],
  ['no token', 'http://127.0.0.1:7843/enroll/'],
  ['another path', 'http://127.0.0.1:7843/join/abc123'],
  ['a path behind the token', 'http://127.0.0.1:7843/enroll/abc123/more'],
  ['a query', 'http://127.0.0.1:7843/enroll/abc123?x=1'],
  ['a password', 'http://a:b@127.0.0.1:7843/enroll/abc123'],
  ['a fragment that is no pin', `http://127.0.0.1:7843/enroll/abc123#pim=${pin}`],
  ['a pin that was cut', `https://cp.example.com:7843/enroll/abc123#pin=${pin.slice(0, -5)}`],
  ['a second pin that was cut', `https://cp.example.com:7843/enroll/abc123#pin=${pin},sha256:`],
])('refuses %s, says what a right one looks like, and keeps the token to itself', (_, text) => {
  let thrown: unknown
  try {
    parse(text)
  } catch (error) {
    thrown = error
  }
  expect(thrown).toMatchObject({
    code: 'invalid',
    reason: 'malformed_enrollment_url',
    hint: expect.stringContaining('http://127.0.0.1:7843/enroll/'),
  })
  expect((thrown as Error).message).not.toContain('abc123')
})

it('sends a token over a network in plain text only when told to', () => {
  expect(() => parse('http://cp.example.com:7843/enroll/abc123')).toThrow(/unencrypted/)
  expect(parse('http://cp.example.com:7843/enroll/abc123', true)).toMatchObject({ isExposed: true })
  expect(parse('https://cp.example.com:7843/enroll/abc123')).toMatchObject({ isExposed: false })
})
