/** The chat of the web console in a real browser, on a real assistant. */
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { type RunningAssistant, startAssistant } from './support/assistant.ts';
import { launchBrowser, type Misdeeds, noBrowser, openPage } from './support/browser.ts';

describe('the chat of the console', { skip: noBrowser }, () => {
  let assistant: RunningAssistant;
  let browser: Browser;
  let page: Page;
  let misdeeds: Misdeeds;

  before(async () => {
    assistant = await startAssistant();
    browser = await launchBrowser();
  });
  after(async () => {
    await browser?.close();
    await assistant?.[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    await fetch(`${assistant.url}/api/memory?everything=true`, { method: 'DELETE' });
    ({ page, misdeeds } = await openPage(browser, assistant.url));
  });
  afterEach(() => page.context().close());

  const say = async (text: string) => {
    await page.getByLabel('Message', { exact: true }).fill(text);
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Ask again' }).waitFor();
  };
  const lastAnswer = () => page.locator('.turn').last();
  const facts = async () => {
    const response = await fetch(`${assistant.url}/api/memory`);
    const { triples } = (await response.json()) as { triples: Record<'subject' | 'verb' | 'object', string>[] };
    return triples.map(({ subject, verb, object }) => `${subject} ${verb} ${object}`);
  };

  it('begins with something to try, answers, and says what happened', async () => {
    await page.getByRole('button', { name: 'My sister lives in Madrid' }).click();
    await page.getByText('Got it: your sister lives in Madrid.').waitFor();
    await say('Where does my sister live?');
    assert.match(await lastAnswer().locator('.answer-text').innerText(), /Your sister lives in Madrid\./);
    const happened = await lastAnswer().locator('.happened').innerText();
    assert.match(happened, /Recalled\s+hermana vive en Madrid/);
    assert.match(happened, /Skills\s+sql 1 call, [\d.]+ ms/);
    assert.match(happened, /Written by\s+Rules, without a language model/);
    assert.deepEqual(misdeeds, { foreign: [], errors: [] });
  });

  it('corrects a fact where it stands, and forgets it', async () => {
    await say('Mi hermana vive en Madrid');
    await page.getByRole('button', { name: 'Correct: hermana vive en Madrid' }).click();
    await page.getByLabel('Object').fill('Roma');
    await page.getByLabel('It has changed').check();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('hermana vive en Roma').waitFor();
    assert.deepEqual(await facts(), ['hermana vive_en Roma']);
    // What was true until now is in the time line, and the focus is back where it was.
    await page.getByRole('button', { name: 'Time line: hermana vive en Roma' }).press('Enter');
    const periods = page.locator('.timeline li');
    await periods.nth(1).waitFor();
    assert.match((await periods.allInnerTexts()).join('|'), /^Madrid[^|]*–[^|]*\|Roma[^|]*until now/s);
    await page.keyboard.press('Escape');
    assert.match((await page.locator(':focus').getAttribute('aria-label')) ?? '', /^Time line/);
    await page.getByRole('button', { name: 'Forget: hermana vive en Roma' }).click();
    await page.getByRole('button', { name: 'Forget', exact: true }).click();
    await page.locator('.gone').waitFor();
    assert.deepEqual(await facts(), []);
  });

  it('shows what is stored and said as text, and runs none of it', async () => {
    const evil = '<script>window.hacked = 1</script><img src=x onerror="window.hacked = 1">';
    await fetch(`${assistant.url}/api/memory`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ subject: 'hermana', verb: 'vive_en', object: evil }),
    });
    await say(`Where does my sister live?`);
    assert.ok((await lastAnswer().locator('.answer-text').innerText()).includes(evil));
    await say(`Me llamo ${evil}`);
    assert.ok((await lastAnswer().locator('.question').innerText()).includes(evil));
    await page.goto(`${assistant.url}/#/memory`);
    await page.locator('.facts').getByText(evil).first().waitFor();
    await page.goto(`${assistant.url}/#/memory/hermana`);
    await page.locator('.graph-side').getByText(evil).first().waitFor();
    assert.equal(await page.evaluate(() => (globalThis as { hacked?: number }).hacked), undefined);
    assert.deepEqual(misdeeds, { foreign: [], errors: [] });
  });

  it('colours the tokens of a model by where they came from', async () => {
    await page.getByLabel('Who answers').selectOption('phoenix-nano-target');
    // Its words are drawn by chance: some answers are too short to say something.
    let shown = 0;
    for (let attempt = 0; attempt < 10 && shown <= 5; attempt++) {
      await say('Mi hermana vive en Madrid y mi hermano vive en Roma');
      shown = await lastAnswer().locator('.token').count();
    }
    const legend = await lastAnswer().locator('.legend').innerText();
    const counted = [...legend.matchAll(/(\d+)\n? ?\d+%/g)].reduce((sum, [, n]) => sum + Number(n), 0);
    assert.ok(shown > 5 && shown === counted, `${shown} tokens are shown, ${counted} counted: ${legend}`);
    assert.match(await lastAnswer().locator('.happened').innerText(), /Speed\s+[\d,.]+ tokens\/s/);
    await page.getByRole('button', { name: 'Hide in the text' }).click();
    assert.equal(await lastAnswer().locator('.token').count(), 0);
  });

  it('stops an answer that takes long', async () => {
    // One that never comes: how fast a model is decides nothing here.
    await page.route('**/v1/chat/completions', () => {});
    await page.getByLabel('Message', { exact: true }).fill('Hola');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByText('Stopped.').waitFor();
    assert.equal(await page.getByRole('button', { name: 'Send' }).isVisible(), true);
  });

  it('asks again in place of the answer, copies, keeps the conversation over a reload, and begins a new one', async () => {
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await say('Mi hermana vive en Madrid');
    await page.getByRole('button', { name: 'Ask again' }).click();
    await page.getByRole('button', { name: 'Ask again' }).waitFor();
    assert.equal(await page.locator('.turn').count(), 1);
    await page.getByRole('button', { name: 'Copy' }).click();
    await page.getByText('Copied.').waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), 'Entendido: tu hermana vive en Madrid.');
    await page.reload();
    await page.getByText('Entendido: tu hermana vive en Madrid.').waitFor();
    await page.getByRole('button', { name: 'New conversation' }).click();
    assert.equal(await page.locator('.turn').count(), 0);
  });

  it('says why an answer failed', async () => {
    await page.route('**/v1/chat/completions', (route) =>
      route.fulfill({ status: 429, json: { error: { message: 'too many wait already' } } }),
    );
    await say('Hola');
    await lastAnswer().getByText('too many wait already').waitFor();
  });

  it('speaks Spanish to who prefers it, and remembers the choice', async () => {
    const { page: spanish } = await openPage(browser, assistant.url, { locale: 'es-MX' });
    await spanish.getByRole('heading', { name: 'Cuéntame algo y luego pregúntame por ello.' }).waitFor();
    assert.equal(await spanish.locator('html').getAttribute('lang'), 'es');
    await spanish.getByRole('button', { name: 'English' }).click();
    await spanish.reload();
    await spanish.getByRole('heading', { name: 'Tell me something, then ask me about it.' }).waitFor();
  });
});
