/** The page of the web console: what it loads, what it may do, who may come in, and whether everybody can use it. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { type RunningAssistant, startAssistant } from './support/assistant.ts';
import { axeViolations, launchBrowser, noBrowser, openPage, prepareAxe } from './support/browser.ts';

const VIEWS = ['chat', 'skills', 'skills/sql', 'memory', 'memory/hermana', 'metrics', 'router', 'privacy'];
/** What a first visit may load, in bytes as they travel. */
const FIRST_LOAD = 150_000;

const json = { 'content-type': 'application/json' };
const FACTS = {
  facts: [
    { subject: 'hermana', verb: 'vive_en', object: 'Madrid' },
    { subject: 'Madrid', verb: 'está_en', object: 'España' },
  ],
};

describe('the files of the console', () => {
  let assistant: RunningAssistant;
  before(async () => {
    assistant = await startAssistant();
  });
  after(() => assistant[Symbol.asyncDispose]());

  it('are small, compressed, kept by the browser, and name no other host', async () => {
    const page = await fetch(assistant.url);
    const html = await page.text();
    const paths = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path = '']) => path);
    assert.equal(paths.length, 3);
    let total = Number(page.headers.get('content-length'));
    for (const path of paths) {
      assert.ok(path.startsWith('/console/'), path);
      const answer = await fetch(assistant.url + path, { headers: { 'accept-encoding': 'gzip' } });
      assert.equal(answer.status, 200);
      assert.equal(answer.headers.get('content-encoding'), 'gzip');
      total += Number(answer.headers.get('content-length'));
      const isNamedByContent = /-[0-9a-f]{12}\./.test(path);
      assert.equal(/immutable/.test(answer.headers.get('cache-control') ?? ''), isNamedByContent, path);
      // Names of formats are no addresses that are asked.
      const hosts = (await answer.text()).match(/https?:\/\/[\w.-]+/g) ?? [];
      assert.deepEqual(
        [...new Set(hosts)].filter((host) => host !== 'http://www.w3.org'),
        [],
        path,
      );
    }
    assert.ok(total < FIRST_LOAD, `the first visit loads ${total} bytes`);
    const again = await fetch(assistant.url, { headers: { 'if-none-match': page.headers.get('etag') ?? '' } });
    assert.equal(again.status, 304);
    assert.equal((await fetch(`${assistant.url}/console/..%2f..%2fpackage.json`)).status, 404);
  });

  it('come with a policy that allows no inline script or style, no other host and no frame', async () => {
    const page = await fetch(assistant.url);
    const policy = page.headers.get('content-security-policy') ?? '';
    for (const rule of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"])
      assert.ok(policy.split('; ').includes(rule), rule);
    assert.doesNotMatch(policy, /unsafe|\*|https?:|data:/);
    assert.doesNotMatch(await page.text(), /<style|style=|<script(?![^>]* src=)| on\w+=/);
    const data = await fetch(`${assistant.url}/api/memory`);
    assert.match(data.headers.get('content-security-policy') ?? '', /default-src 'none'/);
    assert.equal(data.headers.get('x-content-type-options'), 'nosniff');
    assert.equal(data.headers.get('cache-control'), 'no-store');
  });

  it('may change something only from a page of their own server', async () => {
    const store = (headers: Record<string, string>) =>
      fetch(`${assistant.url}/api/memory`, {
        method: 'POST',
        headers: { ...json, ...headers },
        body: JSON.stringify({ subject: 'a', verb: 'b', object: 'c' }),
      });
    const { host } = new URL(assistant.url);
    assert.equal((await store({ origin: `http://${host}` })).status, 200);
    assert.equal((await store({})).status, 200);
    // Another server of this machine: the same host, another port.
    assert.equal((await store({ origin: 'http://127.0.0.1:1' })).status, 403);
    assert.equal((await store({ origin: 'null' })).status, 403);
    const refused = await fetch(`${assistant.url}/api/memory`, {
      method: 'DELETE',
      headers: { origin: 'http://localhost:1' },
    });
    assert.match(await refused.text(), /changes that a page of http:\/\/localhost:1 asks for are refused/);
  });
});

describe('the page of the console', { skip: noBrowser }, () => {
  let assistant: RunningAssistant;
  let browser: Browser;

  before(async () => {
    assistant = await startAssistant();
    browser = await launchBrowser();
    await fetch(`${assistant.url}/api/memory`, { method: 'POST', headers: json, body: JSON.stringify(FACTS) });
  });
  after(async () => {
    await browser?.close();
    await assistant?.[Symbol.asyncDispose]();
  });

  const ask = async (page: Page, text: string) => {
    await page.locator('#message').fill(text);
    await page.keyboard.press('Enter');
    await page.locator('.happened').last().waitFor();
  };
  /** Opens every view, one after the other. */
  const walk = async (page: Page, look: (view: string) => Promise<void>) => {
    await ask(page, '¿Dónde vive mi hermana?');
    for (const view of VIEWS) {
      await page.goto(`${assistant.url}/#/${view}`);
      await page.locator('h1').waitFor();
      await page.locator('.loading').waitFor({ state: 'detached' });
      await look(view);
    }
  };

  for (const [name, options] of [
    ['in light', { colorScheme: 'light' }],
    ['in dark, in Spanish', { colorScheme: 'dark', locale: 'es-ES' }],
    ['on a narrow screen', { viewport: { width: 360, height: 740 }, hasTouch: true }],
  ] as const) {
    it(`can be used by everybody (WCAG 2.2 AA), ${name}`, async () => {
      const { page, context, misdeeds } = await openPage(browser, assistant.url, options);
      await prepareAxe(context);
      await page.reload();
      const found: string[] = [];
      await walk(page, async (view) => {
        for (const violation of await axeViolations(page)) found.push(`${view}: ${violation}`);
        // Nothing is cut off, and nothing has to be scrolled to the side.
        const width = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        if (width > 0) found.push(`${view}: is ${width} pixels too wide`);
      });
      // Dialogs, too.
      await page.goto(`${assistant.url}/#/memory/hermana`);
      for (const n of [0, 1, 2]) {
        await page.locator('.fact-actions button').nth(n).click();
        await page.locator('dialog[open]').waitFor();
        await page.locator('.loading').waitFor({ state: 'detached' });
        for (const violation of await axeViolations(page)) found.push(`dialog ${n}: ${violation}`);
        await page.keyboard.press('Escape');
      }
      assert.deepEqual(found, []);
      assert.deepEqual(misdeeds, { foreign: [], errors: [] });
      await context.close();
    });
  }

  it('is reached and left by keyboard alone, with the focus in sight', async () => {
    const { page, context } = await openPage(browser, assistant.url);
    await page.keyboard.press('Tab');
    assert.equal(await page.locator(':focus').innerText(), 'Skip to the content');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    // At the heading of the view that was chosen.
    await page.waitForFunction(() => document.activeElement?.textContent === 'Skills');
    await page.keyboard.press('Tab');
    const outline = await page.locator(':focus').evaluate((element) => getComputedStyle(element).outlineStyle);
    assert.equal(outline, 'solid');
    await context.close();
  });

  it('moves nothing for who does not want that', async () => {
    const { page, context } = await openPage(browser, assistant.url, { reducedMotion: 'reduce' });
    const moving = () =>
      [...document.querySelectorAll('*')].filter((element) => {
        const { animationName, transitionDuration } = getComputedStyle(element);
        return animationName !== 'none' || !/^0s(, 0s)*$/.test(transitionDuration);
      }).length;
    await walk(page, async (view) => assert.equal(await page.evaluate(moving), 0, view));
    await context.close();
  });

  it('says that the server is away, keeps what it knew, and goes on when it is back', async () => {
    const { page, context } = await openPage(browser, `${assistant.url}/#/memory`);
    const rows = page.locator('.facts tbody tr');
    await rows.nth(1).waitFor();
    const { port } = new URL(assistant.url);
    await assistant.stop();
    await page.getByLabel('Search facts').fill('m');
    await page.getByText('Phoenix does not answer.').waitFor();
    await page.getByText('Not connected').waitFor();
    assert.equal(await rows.count(), 2);
    assistant = await startAssistant({ PHOENIX_STATE_DIR: assistant.stateDir, PHOENIX_SERVER_PORT: port });
    await page.getByText('Phoenix does not answer.').waitFor({ state: 'detached' });
    await page.getByLabel('Search facts').fill('España');
    await page.waitForFunction(() => document.querySelectorAll('.facts tbody tr').length === 1);
    await context.close();
  });

  it('says that an answer broke off', async () => {
    const { page, context } = await openPage(browser, assistant.url);
    await page.route('**/v1/chat/completions', (route) =>
      route.fulfill({
        contentType: 'text/event-stream',
        body: 'data: {"choices":[{"delta":{"content":"Half an"},"finish_reason":null}]}\n\n',
      }),
    );
    await page.locator('#message').fill('Hola');
    await page.keyboard.press('Enter');
    await page.getByText('The connection broke off before the answer was complete.').waitFor();
    await page.getByText('Half an').waitFor();
    await context.close();
  });
});

describe('the console of a server with a token', { skip: noBrowser }, () => {
  it('asks for it, keeps it in its tab alone, and refuses another', async () => {
    const token = 'a-token-of-some-length';
    await using assistant = await startAssistant({ PHOENIX_SERVER_TOKEN: token });
    const browser = await launchBrowser();
    try {
      const { page, context, misdeeds } = await openPage(browser, `${assistant.url}/#/memory`);
      await page.getByRole('heading', { name: 'This Phoenix wants a token' }).waitFor();
      await page.getByLabel('Token').fill('something else');
      await page.getByRole('button', { name: 'Enter' }).click();
      await page.getByText('That is not the token of this server.').waitFor();
      await page.getByLabel('Token').fill(token);
      await page.getByRole('button', { name: 'Enter' }).click();
      await page.getByRole('heading', { name: 'Nothing is known yet' }).waitFor();
      await page.reload();
      await page.getByRole('heading', { name: 'Nothing is known yet' }).waitFor();
      assert.deepEqual(await context.cookies(), []);
      assert.ok(!(await page.evaluate(() => JSON.stringify(localStorage))).includes(token));
      const other = await context.newPage();
      await other.goto(`${assistant.url}/#/memory`);
      await other.getByRole('heading', { name: 'This Phoenix wants a token' }).waitFor();
      assert.deepEqual(misdeeds, { foreign: [], errors: [] });
    } finally {
      await browser.close();
    }
  });
});
