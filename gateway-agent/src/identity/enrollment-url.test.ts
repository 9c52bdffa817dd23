import { expect, it } from 'vitest'
import { parseEnrollmentUrl } from './enrollment-url.ts'

const parse = (text: string, insecurePlaintext = false) => parseEnrollmentUrl(text, { insecurePlaintext })

it.each([
  'http://127.0.0.1:7843/enroll/abc123',
  'http://127.0.0.1:7843/enroll/abc123/',
  ' http://127.0.0.1:7843/enroll/abc123\n',
  'http://127.0.0.1:7843/enroll/abc123#pin=sha256:Zm9v',
  'http://127.0.0.1:7843/enroll/abc123#pin=sha256:Zm9v,sha256:YmFy',
])('reads %j', (text) => {
  expect(parse(text)).toMatchObject({ origin: 'http://127.0.0.1:7843', token: 'abc123', isExposed: false })
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
  ['a fragment that is no pin', 'http://127.0.0.1:7843/enroll/abc123#pim=sha256:Zm9v'],
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

it('does not ignore a pin that it cannot check', () => {
  expect(() => parse('https://cp.example.com:7843/enroll/abc123#pin=sha256:Zm9v')).toThrow(/pinned/)
})
