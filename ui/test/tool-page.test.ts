import type { ServerResponse } from 'node:http'
import { beforeEach, describe, expect, it } from 'vitest'
import { answering, paramsOf, pixel, silence, streaming, text } from './calls.ts'
import { gateway, onGateway, server, tool } from './fleet.ts'
import { stories, until } from './story.ts'

const story = stories()
const at = '/tools/everything/plan'
const button = (name: string | RegExp) => story.page.getByRole('button', { name, exact: typeof name === 'string' })
const result = () => story.page.getByRole('region', { name: 'Result' })
const field = (label: string) => story.page.getByLabel(label).first()

const schema = {
  type: 'object',
  required: ['title', 'days'],
  properties: {
    title: { type: 'string', description: 'What it is called' },
    days: { type: 'integer', minimum: 1, maximum: 30 },
    pace: { type: 'string', enum: ['slow', 'fast'], default: 'slow' },
    notify: { type: 'boolean' },
    stops: { type: 'array', items: { type: 'string' } },
    place: { type: 'object', required: ['city'], properties: { city: { type: 'string' }, zip: { type: 'string' } } },
    budget: { anyOf: [{ type: 'number' }, { type: 'string' }] },
  },
}

beforeEach(() => {
  story.cp.put(gateway('edge-1'))
  story.cp.put(server('everything', [onGateway('edge-1')]))
  const plan = tool('everything', 'plan', { description: 'Plans a journey.', inputSchema: schema, annotations: { readOnlyHint: true } })
  story.cp.put({ ...plan, status: { gateways: ['edge-1', 'lab'] } })
  story.cp.put(tool('everything', 'ping', { description: 'Answers.' }))
})

describe('tool page', () => {
  it('makes a form of the schema, and sends what was filled in to the chosen gateway', async () => {
    story.cp.knobs.onCall = answering(() => text('planned'))
    await story.open(at)
    await field('title').fill('North')
    await field('days').fill('3')
    await field('notify').selectOption('true')
    await button('Add an item').click()
    await field('Item 1').fill('Bergen')
    await button('Add another').click()
    await field('Item 2').fill('Tromsø')
    await field('city').fill('Oslo')
    await field('budget').fill('{"max": 100}')
    await field('Gateway').selectOption('lab')
    await button('Call').click()
    await result().getByText('planned').waitFor()
    await result()
      .getByText(/^lab answered after \d+ ms$/)
      .waitFor()
    expect(story.cp.writes).toHaveLength(1)
    const [call] = story.cp.writes
    expect(call!.path).toBe('/v1/orgs/default/workspaces/default/mcp/servers/everything')
    expect(call!.query).toBe('gateway=lab')
    expect(call!.headers).toMatchObject({
      'mcp-method': 'tools/call',
      'mcp-name': 'plan',
      'mcp-protocol-version': '2026-07-28',
      'x-mcpg-request': '1',
    })
    expect(paramsOf(call!)).toMatchObject({
      name: 'plan',
      arguments: {
        title: 'North',
        days: 3,
        pace: 'slow',
        notify: true,
        stops: ['Bergen', 'Tromsø'],
        place: { city: 'Oslo' },
        budget: { max: 100 },
      },
    })
  })

  it('says at each field what the schema does not allow, and calls anyway when asked', async () => {
    story.cp.knobs.onCall = answering(() => ({ result: { isError: true, content: [{ type: 'text', text: 'days: too many' }] } }))
    await story.open(at)
    await field('days').fill('31')
    await field('zip').fill('0150')
    await button('Call').click()
    await story.page.getByText('It must be at most 30.').waitFor()
    expect(await story.page.getByText('It is required.').count()).toBe(2)
    expect(await story.page.evaluate(() => document.activeElement?.getAttribute('data-pointer'))).toBe('/title')
    expect(story.cp.writes).toHaveLength(0)
    await button('Call anyway').click()
    await result().getByText('The tool ran and failed').waitFor()
    await result().getByText('days: too many').waitFor()
    expect(paramsOf(story.cp.writes[0]!).arguments).toEqual({ days: 31, pace: 'slow', place: { zip: '0150' } })
  })

  it('loses nothing between form and JSON', async () => {
    await story.open(at)
    await field('title').fill('North')
    await field('days').fill('3x')
    await story.page.getByText('JSON', { exact: true }).click()
    const raw = field('Arguments as JSON')
    expect(JSON.parse(await raw.inputValue())).toEqual({ title: 'North', pace: 'slow' })
    await raw.fill('{"title": "North", "extra": 1, "pace":')
    await story.page.getByText('It is no JSON yet').waitFor()
    await story.page.getByText('Form', { exact: true }).click()
    expect(await raw.inputValue()).toBe('{"title": "North", "extra": 1, "pace":')
    await raw.fill('{"title": "South", "extra": 1, "pace": 7}')
    await story.page.getByText('Form', { exact: true }).click()
    await story.page.getByText('Also sent, though the schema does not name it: "extra"').waitFor()
    expect([await field('title').inputValue(), await field('days').inputValue(), await field('pace').inputValue()]).toEqual([
      'South',
      '3x',
      '7',
    ])
  })

  it('shows text, structure, picture, sound, links and resources, and never as a page of the server', async () => {
    story.cp.knobs.onCall = answering(() => ({
      result: {
        content: [
          { type: 'text', text: '<img src=x onerror=alert(1)>' },
          { type: 'image', data: pixel, mimeType: 'image/png' },
          { type: 'audio', data: silence, mimeType: 'audio/wav' },
          { type: 'image', data: Buffer.from('<svg onload="alert(1)"/>').toString('base64'), mimeType: 'image/svg+xml' },
          { type: 'resource_link', uri: 'https://example.com/report', name: 'Report' },
          { type: 'resource', resource: { uri: 'note://1', mimeType: 'text/plain', text: 'a note' } },
          { type: 'hologram', rays: 3 },
        ],
        structuredContent: { weather: { degrees: 21.5 } },
        _meta: { trace: 'abc' },
      },
    }))
    await story.open('/tools/everything/ping')
    await button('Call').click()
    await result().getByText('<img src=x onerror=alert(1)>').waitFor()
    await result().getByText('image/png, 1 × 1').waitFor()
    await until(() =>
      result()
        .locator('audio')
        .evaluate((audio: HTMLAudioElement) => audio.duration > 0.09),
    )
    await result().getByText('image/svg+xml is not shown in the page.').waitFor()
    await result().getByText('https://example.com/report').waitFor()
    await result().getByText('a note').waitFor()
    await result().getByText('Content of a kind this page does not know (hologram)').waitFor()
    await result().getByRole('group', { name: 'Structured content' }).getByText('21.5').waitFor()
    expect(await result().locator('a').count()).toBe(0)
    expect(await result().locator('img').count()).toBe(1)
  })

  it('warns of a tool that says it destroys', async () => {
    story.cp.put(tool('everything', 'wipe', { annotations: { destructiveHint: true } }))
    await story.open('/tools/everything/ping')
    await button('Call').waitFor()
    expect(await story.page.getByText('may destroy something').count()).toBe(0)
    await story.open('/tools/everything/wipe')
    await story.page.getByText('The server says that this tool may destroy something').waitFor()
  })

  it('shows progress, and Cancel ends the request', async () => {
    const opened = Promise.withResolvers<ServerResponse>()
    story.cp.knobs.onCall = (call, response) => {
      streaming(call, response).progress(1, 4, 'warming up')
      opened.resolve(response)
    }
    await story.open('/tools/everything/ping')
    await button('Call').click()
    await result().getByText('1 of 4 – warming up').first().waitFor()
    const closed = new Promise((resolve) => void opened.promise.then((response) => response.on('close', resolve)))
    await button('Cancel').click()
    await closed
    await result().getByText('Cancelled').waitFor()
    await story.page.getByRole('list', { name: 'Calls of this page' }).getByText('Cancelled').waitFor()
  })

  it('keeps the calls of the page, and brings one back with its arguments', async () => {
    story.cp.knobs.onCall = answering(({ arguments: { title } }) => text(`planned ${String(title)}`))
    await story.open(at)
    await field('days').fill('1')
    for (const title of ['North', 'South']) {
      await field('title').fill(title)
      await story.page.keyboard.press('Control+Enter')
      await result().getByText(`planned ${title}`).waitFor()
    }
    await story.page.getByRole('list', { name: 'Calls of this page' }).getByRole('button', { name: /North/ }).click()
    await result().getByText('planned North').waitFor()
    expect(await field('title').inputValue()).toBe('North')
  })

  it('tells an error of the protocol and a refusal of the control plane apart from a tool that failed', async () => {
    story.cp.knobs.onCall = answering(() => ({ error: { code: -32602, message: 'Unknown tool ping', data: { name: 'ping' } } }))
    await story.open('/tools/everything/ping')
    await button('Call').click()
    await result().getByText('Unknown tool ping').waitFor()
    await result().getByText('JSON-RPC error -32602: the arguments or the name were not accepted').waitFor()
    story.mayComplain = true // the browser itself notes the 503
    story.cp.knobs.onCall = (_call, response) => {
      response.writeHead(503, { 'content-type': 'application/problem+json' })
      response.end(
        JSON.stringify({ code: 'unavailable', detail: 'No gateway that serves everything is online.', hint: 'mcpg-ctl get gateways' }),
      )
    }
    await button('Call').click()
    await result().getByText('No gateway that serves everything is online.').waitFor()
    await result().getByText('mcpg-ctl get gateways').waitFor()
  })

  it('says that an answer was too large when it broke off at the limit, and that nobody knows when it broke off before', async () => {
    story.mayComplain = true // the browser itself notes the broken answers
    const breakAfter = (bytes: number) => {
      story.cp.knobs.onCall = (_call, response) => {
        response.writeHead(200, { 'content-type': 'application/json' })
        response.write('x'.repeat(bytes), () => response.destroy())
      }
    }
    await story.open('/tools/everything/ping')
    breakAfter(4 * 1024 * 1024)
    await button('Call').click()
    await result().getByText('at most 4 MiB go through the control plane').waitFor()
    breakAfter(1000)
    await button('Call').click()
    await result().getByText('Whether the tool had any effect is unknown.').waitFor()
  })

  it('draws a part of a huge answer and the rest on demand', async () => {
    story.cp.knobs.onCall = answering(() => text('x'.repeat(300_000)))
    await story.open('/tools/everything/ping')
    await button('Call').click()
    await result().getByText('The first 98 KiB of 293 KiB are shown.').waitFor()
    await button('Show everything').click()
    await until(async () => (await result().getByLabel('Text', { exact: true }).innerText()).length === 300_000)
  })
})

describe('questions in the middle of a call', () => {
  const asks = (inputRequests: object) => ({ result: { resultType: 'input_required', inputRequests, requestState: 'sealed' } })
  const form = {
    method: 'elicitation/create',
    params: {
      message: 'Who travels?',
      requestedSchema: {
        type: 'object',
        required: ['name'],
        properties: {
          name: { type: 'string' },
          class: {
            oneOf: [
              { const: 'e', title: 'Economy' },
              { const: 'b', title: 'Business' },
            ],
          },
        },
      },
    },
  }

  it('are asked as a form, and the answer goes back with the state', async () => {
    story.cp.knobs.onCall = answering(({ inputResponses }) => (inputResponses ? text('booked') : asks({ traveler: form })))
    await story.open('/tools/everything/ping')
    await button('Call').click()
    await result().getByText('Who travels?').waitFor()
    await button('Send the answer').click()
    await result().getByText('It is required.').waitFor()
    await result().getByLabel('name').fill('Ada')
    await result().getByLabel('class').selectOption('Business')
    await button('Send the answer').click()
    await result().getByText('booked').waitFor()
    expect(paramsOf(story.cp.writes[1]!)).toMatchObject({
      inputResponses: { traveler: { action: 'accept', content: { name: 'Ada', class: 'b' } } },
      requestState: 'sealed',
    })
    // The answer goes to the gateway that asked, whichever that was.
    expect(story.cp.writes.map((one) => one.query)).toEqual(['', 'gateway=lab'])
  })

  it('may be several of several kinds; all answers go at once, and an address is opened by nobody but a person', async () => {
    const address = { method: 'elicitation/create', params: { mode: 'url', message: 'Sign in', url: 'https://login.example.com/start' } }
    const sample = {
      method: 'sampling/createMessage',
      params: { maxTokens: 20, messages: [{ role: 'user', content: { type: 'text', text: 'Capital of France?' } }] },
    }
    story.cp.knobs.onCall = answering(({ inputResponses }) =>
      inputResponses ? text('done') : asks({ traveler: form, sign: address, sample, folders: { method: 'roots/list' } }),
    )
    await story.open('/tools/everything/ping')
    await button('Call').click()
    const link = result().getByRole('link', { name: 'Open login.example.com in a new tab' })
    expect([await link.getAttribute('href'), await link.getAttribute('rel')]).toEqual([
      'https://login.example.com/start',
      'noopener noreferrer',
    ])
    await button('I have done it').click()
    await result().getByText('Capital of France?').waitFor()
    await result().getByLabel('Your answer in its place').fill('Paris')
    await button('Send the answer').last().click()
    await button('Answer with an empty list').click()
    await result().getByText('3 of 4 answered.').waitFor()
    await button('Decline').click()
    await result().getByText('done').waitFor()
    expect(paramsOf(story.cp.writes[1]!).inputResponses).toEqual({
      traveler: { action: 'decline' },
      sign: { action: 'accept' },
      sample: { role: 'assistant', content: { type: 'text', text: 'Paris' }, model: 'a person', stopReason: 'endTurn' },
      folders: { roots: [] },
    })
    expect(story.page.context().pages()).toHaveLength(1)
  })

  it('of an unknown kind are shown and not answered', async () => {
    story.cp.knobs.onCall = answering(() => asks({ scan: { method: 'brain/scan', params: { depth: 3 } } }))
    await story.open('/tools/everything/ping')
    await button('Call').click()
    await result().getByText('Among them is something this page cannot answer').waitFor()
    await result().getByText('brain/scan').first().waitFor()
    expect(await button('Send the answer').count()).toBe(0)
    await button('Give the call up').click()
    await result().getByText('Cancelled').waitFor()
  })

  it('are declared only while the page may be asked', async () => {
    story.cp.knobs.onCall = answering(() => text('ok'))
    await story.open('/tools/everything/ping')
    await field('Answer questions of the server').uncheck()
    await button('Call').click()
    await result().getByText('ok').waitFor()
    expect(story.cp.writes[0]!.body).toMatchObject({ params: { _meta: { 'io.modelcontextprotocol/clientCapabilities': {} } } })
  })
})
