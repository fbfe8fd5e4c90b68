import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { isMissing } from './requirements.ts';

const CHROMIUM = '/usr/bin/chromium';

/** Why tests in a browser are skipped, or false. */
export const noBrowser = isMissing('chromium', existsSync(CHROMIUM));

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** What a page did that it should not have done. */
export interface Misdeeds {
  /** Requests to other hosts than its own. */
  foreign: string[];
  /** Errors of its scripts, and what its security policy refused. */
  errors: string[];
}

/** Opens a page of the console and notes what it should not do. */
export async function openPage(
  browser: Browser,
  url: string,
  options: NonNullable<Parameters<Browser['newContext']>[0]> = {},
): Promise<{ page: Page; context: BrowserContext; misdeeds: Misdeeds }> {
  const context = await browser.newContext({ locale: 'en-GB', viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  const misdeeds: Misdeeds = { foreign: [], errors: [] };
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== new URL(url).origin && !request.url().startsWith('blob:'))
      misdeeds.foreign.push(request.url());
  });
  page.on('pageerror', (error) => misdeeds.errors.push(error.message));
  page.on('console', (message) => {
    // What the server refuses is shown by the page, and noted by the browser, too.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      misdeeds.errors.push(message.text());
  });
  await page.goto(url);
  return { page, context, misdeeds };
}

const AXE = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
/** The success criteria of WCAG 2.2 up to level AA, and what else is known to be good. */
const AXE_TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** Lets `axeViolations` check the pages that are opened from now on. */
export async function prepareAxe(context: BrowserContext): Promise<void> {
  await context.addInitScript({ content: AXE });
}

interface AxeResults {
  passes: unknown[];
  violations: { id: string; nodes: { target: string[]; failureSummary: string }[] }[];
}

/** What is used of a page. */
interface AxePage {
  document: { getAnimations(): { finished: Promise<unknown> }[] };
  axe: { run(options: object): Promise<AxeResults> };
}

/** What hinders people with disabilities on the page as it is shown now: `rule: element`, one for each. */
export async function axeViolations(page: Page): Promise<string[]> {
  // Colours are measured as they are, not on their way.
  await page.evaluate(() => {
    const { document } = globalThis as unknown as AxePage;
    return Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => {})));
  });
  const { passes, violations } = await page.evaluate(
    (runOnly) => (globalThis as unknown as AxePage).axe.run({ runOnly }),
    AXE_TAGS,
  );
  if (passes.length < 10) throw new Error(`axe checked only ${passes.length} rules`);
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary.replaceAll('\n', ' ')}`),
  );
}
