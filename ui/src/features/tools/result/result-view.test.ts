import { describe, expect, it } from 'vitest'
import { blockOf } from './content-block.ts'
import { isAnswerable, questionsOf } from './question.ts'
import { resultView } from './result-view.ts'

const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

describe('view of a result', () => {
  it('shows what a browser can show without running it', () => {
    expect(blockOf({ type: 'text', text: '<b>x</b>' })).toEqual({ kind: 'text', text: '<b>x</b>' })
    expect(blockOf({ type: 'image', data: pixel, mimeType: 'image/png' })).toMatchObject({
      kind: 'image',
      src: `data:image/png;base64,${pixel}`,
      bytes: 70,
    })
    expect(blockOf({ type: 'audio', data: 'UklGRg==', mimeType: 'audio/wav' })).toMatchObject({ kind: 'audio', bytes: 4 })
    expect(blockOf({ type: 'resource', resource: { uri: 'a:b', mimeType: 'image/png', blob: pixel } })).toMatchObject({
      kind: 'resource',
      inner: { kind: 'image' },
    })
    expect(blockOf({ type: 'resource', resource: { uri: 'a:b', text: 'x' } })).toMatchObject({ inner: { kind: 'text', text: 'x' } })
    expect(blockOf({ type: 'resource_link', uri: 'a:b', name: 'n', size: 3 })).toMatchObject({ kind: 'link', title: 'n', bytes: 3 })
  })

  it.each(['image/svg+xml', 'text/html', 'image/png,<script>', 'image/png;charset=x', ''])(
    'offers %j as a file, never as a page',
    (mimeType) => {
      expect(blockOf({ type: 'image', data: pixel, mimeType })).toMatchObject({ kind: 'binary', base64: pixel })
    },
  )

  it('does not play an image or draw a sound', () => {
    expect(blockOf({ type: 'image', data: 'UklGRg==', mimeType: 'audio/wav' }).kind).toBe('binary')
  })

  it('keeps what it does not know as it came', () => {
    for (const value of [
      { type: 'hologram', x: 1 },
      { type: 'image', data: 'no base64!' },
      { type: 'text' },
      null,
      'text',
      { type: 'resource' },
    ])
      expect(blockOf(value).kind).toBe('unknown')
    const view = resultView({ content: 'none', structuredContent: { a: 1 }, isError: 'yes', _meta: {} })
    expect(view).toMatchObject({ isError: false, blocks: [], structured: { a: 1 }, questions: [], meta: undefined })
  })

  it('tells a failed tool from one that answered', () => {
    expect(resultView({ isError: true, content: [{ type: 'text', text: 'no' }] }).isError).toBe(true)
  })
})

describe('questions of a server', () => {
  const form = { method: 'elicitation/create', params: { message: 'Who?', requestedSchema: { properties: { name: { type: 'string' } } } } }

  it('are read only from a result that asks', () => {
    const asks = { resultType: 'input_required', inputRequests: { a: form }, requestState: 's' }
    expect(resultView(asks)).toMatchObject({ requestState: 's', questions: [{ key: 'a', kind: 'form', message: 'Who?' }] })
    expect(resultView({ ...asks, resultType: 'complete' })).toMatchObject({ requestState: undefined, questions: [] })
  })

  it('name the host of an address, and none for what no browser should open', () => {
    const hosts = ['https://login.example.com:8443/x?y=https://evil.example', 'javascript:alert(1)', 'file:///etc/passwd', 'nonsense'].map(
      (url) =>
        questionsOf({ a: { method: 'elicitation/create', params: { mode: 'url', url } } }).map((one) => one.kind === 'address' && one.host),
    )
    expect(hosts).toEqual([['login.example.com:8443'], [''], [''], ['']])
  })

  it('show what a completion is asked for', () => {
    const params = { systemPrompt: 'Be brief', maxTokens: 9, messages: [{ role: 'user', content: { type: 'text', text: 'hi' } }] }
    expect(questionsOf({ a: { method: 'sampling/createMessage', params } })).toEqual([
      {
        key: 'a',
        kind: 'completion',
        system: 'Be brief',
        maxTokens: 9,
        models: [],
        messages: [{ role: 'user', blocks: [{ kind: 'text', text: 'hi' }] }],
      },
    ])
  })

  it('are not answered when one of them is of a kind nobody knows', () => {
    const known = questionsOf({ a: form, b: { method: 'roots/list' } })
    expect(isAnswerable(known)).toBe(true)
    expect(isAnswerable([...known, ...questionsOf({ c: { method: 'brain/scan', params: null } })])).toBe(false)
    expect(isAnswerable([])).toBe(false)
  })
})
