import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import { openBrowser, openPage } from './browser.ts'
import { builtConsole } from './built-console.ts'
import { fakeControlPlane, type FakeControlPlane } from './fake-control-plane.ts'

type Look = NonNullable<Parameters<typeof openPage>[1]>

/** What the stories of one file share; `page` is a new one in each story. */
export type Story = {
  cp: FakeControlPlane
  page: Page
  folder: string // of the built console
  complaints: string[] // of the browser, in this story
  mayComplain: boolean // the story provokes them
  open: (path: string) => Promise<unknown>
  /** Takes another kind of window, a dark or narrow one. */
  reopen: (look: Look) => Promise<void>
}

/** Serves the built console from a fake control plane to a real browser, for every story of the file that calls it. */
export function stories(): Story {
  const story = {} as Story
  let browser: Browser
  let built: Awaited<ReturnType<typeof builtConsole>>

  beforeAll(async () => {
    built = await builtConsole()
    story.folder = built.folder
    story.cp = await fakeControlPlane(built.folder)
    browser = await openBrowser()
  })

  afterAll(async () => {
    await browser?.close()
    await story.cp?.close()
    await built?.close()
  })

  beforeEach(async () => {
    story.cp.clear()
    story.mayComplain = false
    Object.assign(story, await openPage(browser))
  })

  afterEach(async () => {
    const said = [...story.complaints]
    await story.page.context().close()
    // Nothing in the console of the browser: no violation of the policy, no error, no warning of React.
    if (!story.mayComplain && said.length > 0) throw new Error(`the browser complains: ${said.join('\n')}`)
  })

  story.open = (path) => story.page.goto(story.cp.url + path)
  story.reopen = async (look) => {
    await story.page.context().close()
    Object.assign(story, await openPage(browser, look))
  }
  return story
}

/** Waits for what no locator can say. */
export async function until(what: () => Promise<boolean> | boolean): Promise<void> {
  const end = Date.now() + 10_000
  while (!(await what())) {
    if (Date.now() > end) throw new Error(`still not: ${String(what)}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
