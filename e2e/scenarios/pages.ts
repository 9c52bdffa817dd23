import { chromium } from 'playwright-core'
import ensureChromium from '../chromium.ts'
import { closeLater } from '../harness/cleanup.ts'

// As text, because it runs in the page and not here.
const kept = `JSON.stringify([{...localStorage}, {...sessionStorage}, location.href, [...document.querySelectorAll('input')].map(({value}) => value)])`

/** What a person's browser holds after visiting each path: document, fields, address, storage. Throws when a page does not come. */
export async function visit(origin: string, paths: string[]): Promise<{ path: string; text: string }[]> {
  ensureChromium()
  // Chromium's own sandbox refuses to run as root.
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  const browser = await chromium.launch({ executablePath: process.env['MCPG_CHROMIUM'] ?? '', args })
  closeLater(() => browser.close())
  const page = await browser.newPage()
  const seen = []
  for (const path of paths) {
    await page.goto(origin + path)
    await page.locator('main').filter({ hasText: /\S/ }).waitFor({ timeout: 30_000 })
    const held = await page.evaluate<string>(kept)
    seen.push({ path, text: (await page.content()) + held })
  }
  await browser.close()
  return seen
}
