/** Skills, memory, metrics, router and privacy of the web console in a real browser, on a real assistant. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import {
  enrol,
  FederationClient,
  FederationServer,
  federatedFolders,
  invite,
  PrivacyLedger,
  readClient,
} from '../src/federated/index.ts';
import { type RunningAssistant, startAssistant, temporaryFolder } from './support/assistant.ts';
import { launchBrowser, noBrowser, openPage } from './support/browser.ts';
import { MEAN_SPEC, MeanModel } from './support/mean-model.ts';

describe('the views of the console', { skip: noBrowser }, () => {
  let assistant: RunningAssistant;
  let browser: Browser;
  let page: Page;

  before(async () => {
    assistant = await startAssistant({
      PHOENIX_SKILL_DIRS: JSON.stringify([join(import.meta.dirname, 'fixtures/skills')]),
    });
    browser = await launchBrowser();
    page = (await openPage(browser, assistant.url)).page;
  });
  after(async () => {
    await browser?.close();
    await assistant?.[Symbol.asyncDispose]();
  });

  const open = async (view: string) => {
    await page.goto(`${assistant.url}/#/${view}`);
  };
  const badge = (text: string) => page.locator('.badge', { hasText: text }).first();

  describe('skills', () => {
    it('shows each with its state, and leads to it', async () => {
      await open('skills');
      const cards = page.locator('.skill-card');
      await cards.filter({ hasText: 'sql' }).first().waitFor();
      assert.match(await cards.filter({ hasText: 'bad-manifest' }).innerText(), /broken[\s\S]*colour/);
      await page.getByRole('link', { name: 'echo' }).click();
      await page.getByRole('heading', { name: /^echo/ }).waitFor();
    });

    it('starts, calls, follows the log, restarts, reloads and stops one', async () => {
      await open('skills/echo');
      await page.getByRole('button', { name: 'Start' }).click();
      await badge('ready').waitFor();
      assert.match(await page.locator('.rights').innerText(), /Answer calls of this assistant/);
      await page.getByLabel('What to say').fill('say it again');
      await page.getByRole('button', { name: 'Call' }).click();
      await page.locator('.result').getByText('say it again').waitFor();
      await page.locator('.log').getByText('echo starts').waitFor();
      await page.getByLabel('What to say').fill('fail:no luck');
      await page.getByRole('button', { name: 'Call' }).click();
      await page.getByRole('alert').getByText('no luck').waitFor();
      await page.getByRole('button', { name: 'Restart' }).click();
      await page.getByText('echo was restarted.').waitFor();
      await page.locator('.figures').getByText('Restarts1').waitFor();
      await page.getByRole('button', { name: 'Reload code' }).click();
      await page.getByText('echo has its code as it is now.').waitFor();
      await page.getByRole('button', { name: 'Stop' }).click();
      await badge('stopped').waitFor();
      assert.match(await page.locator('.events').innerText(), /Stopped[\s\S]*operator[\s\S]*Serves/);
    });

    it('shows what went wrong, and what happens next', async () => {
      await open('skills/echo');
      await page.getByLabel('What to say').fill('exit:3');
      await page.getByRole('button', { name: 'Call' }).click();
      await page.locator('.failure').getByText('It ended unexpectedly').waitFor();
      assert.match(await page.locator('.failure').innerText(), /ended by itself \(3\)[\s\S]*launche[ds] (it )?again/);
      await open('skills/broken-start');
      await page.getByRole('button', { name: 'Start' }).click();
      await page.locator('.failure').getByText('no luck today').first().waitFor();
      await open('skills/nothing');
      await page.getByText('There is no skill “nothing”.').waitFor();
    });
  });

  describe('memory', () => {
    beforeEach(async () => {
      await fetch(`${assistant.url}/api/memory?everything=true`, { method: 'DELETE' });
      const facts = [
        ['hermana', 'vive_en', 'Madrid'],
        ['hermana', 'trabaja_en', 'biblioteca'],
        ['biblioteca', 'está_en', 'Lugo'],
      ].map(([subject, verb, object]) => ({ subject, verb, object }));
      await fetch(`${assistant.url}/api/memory`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ facts }),
      });
      await page.goto('about:blank');
      await open('memory');
    });
    const rows = () => page.locator('.facts tbody tr');

    it('searches anywhere in a fact', async () => {
      await rows().nth(2).waitFor();
      await page.getByLabel('Search facts').fill('BIBLIO');
      await page.waitForFunction(() => document.querySelectorAll('.facts tbody tr').length === 2);
      await page.getByLabel('Search facts').fill('nowhere');
      await page.getByText('Nothing contains “nowhere”').waitFor();
    });

    it('adds, corrects and forgets', async () => {
      await page.getByRole('button', { name: 'Add a fact' }).click();
      await page.getByLabel('Subject').fill('Ana');
      await page.getByLabel('Relation').fill('habla');
      await page.getByLabel('Object').fill('gallego');
      await page.getByLabel('Sure').fill('80');
      await page.getByRole('button', { name: 'Save' }).click();
      await rows().filter({ hasText: 'gallego' }).getByText('80%').waitFor();
      await page.getByRole('button', { name: 'Correct: Ana habla gallego' }).click();
      await page.getByLabel('Object').fill('portugués');
      await page.getByRole('button', { name: 'Save' }).click();
      await rows().filter({ hasText: 'portugués' }).waitFor();
      assert.equal(await rows().filter({ hasText: 'gallego' }).count(), 0);
      await page.getByRole('button', { name: 'Forget: Ana habla portugués' }).click();
      await page.getByRole('button', { name: 'Forget', exact: true }).click();
      await rows().filter({ hasText: 'portugués' }).waitFor({ state: 'detached' });
    });

    it('draws a graph to walk on, by pointer and by keyboard', async () => {
      await page.getByRole('button', { name: 'Graph' }).click();
      await page.locator('.node').nth(3).waitFor();
      await page.locator('.node', { hasText: 'hermana' }).click();
      await page.getByRole('heading', { name: 'hermana' }).waitFor();
      assert.equal(await page.locator('.edge.near').count(), 2);
      await page.locator('.node', { hasText: 'biblioteca' }).focus();
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'biblioteca' }).waitFor();
      assert.match(await page.locator('.graph-side').innerText(), /biblioteca está en Lugo/);
      const before = await page.locator('.graph-box > svg').getAttribute('viewBox');
      await page.getByRole('button', { name: 'Zoom in' }).click();
      assert.notEqual(await page.locator('.graph-box > svg').getAttribute('viewBox'), before);
      await page.goBack();
      await page.getByRole('heading', { name: 'hermana' }).waitFor();
      await page.getByRole('button', { name: 'Table' }).click();
      await rows().nth(2).waitFor();
    });

    it('exports into a file and imports it again, and says why it cannot', async () => {
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name: 'Export' }).click(),
      ]);
      const path = join(temporaryFolder(), download.suggestedFilename());
      await download.saveAs(path);
      assert.equal(readFileSync(path, 'utf8').trimEnd().split('\n').length, 4);
      await fetch(`${assistant.url}/api/memory?everything=true`, { method: 'DELETE' });
      await page.getByLabel('Import').setInputFiles(path);
      await page.getByText('3 facts imported.').waitFor();
      await rows().nth(2).waitFor();
      writeFileSync(path, 'nonsense');
      await page.getByLabel('Import').setInputFiles(path);
      await page.getByText(/line 1/).waitFor();
    });

    it('says that nothing is known, and what to do about it', async () => {
      await fetch(`${assistant.url}/api/memory?everything=true`, { method: 'DELETE' });
      await page.goto('about:blank');
      await open('memory');
      await page.getByRole('heading', { name: 'Nothing is known yet' }).waitFor();
    });
  });

  it('draws the six panels of the dashboard from what was measured', async () => {
    await open('metrics');
    await page.locator('.panel').nth(5).waitFor();
    assert.deepEqual(await page.locator('.panel h2').allInnerTexts(), [
      'Skill hit rate',
      'Skill latency, median',
      'Skill health',
      'Memory of each skill',
      'Speculative acceptance',
      'Privacy spent (ε)',
    ]);
    assert.match(await page.locator('.health').innerText(), /bad-manifest\s+down[\s\S]*sql\s+serves/);
    // Something is drawn: not every pixel is the same.
    const drawn = await page
      .locator('.chart canvas')
      .first()
      .evaluate((canvas) => {
        const { data } = (canvas as HTMLCanvasElement)
          .getContext('2d')
          ?.getImageData(0, 0, (canvas as HTMLCanvasElement).width, 150) ?? { data: [] };
        return new Set(data).size;
      });
    assert.ok(drawn > 2, `${drawn} values of pixels`);
    const memory = page.locator('.panel', { hasText: 'Memory of each skill' }).getByRole('img');
    assert.match((await memory.getAttribute('aria-label')) ?? '', /sql \d[\d.]* MiB/);
  });

  it('says which skills a sentence is for, and which of its words say so', async () => {
    await open('router');
    await page.getByLabel('A sentence').fill('Which tables are there in the database?');
    const chosen = page.locator('.score', { hasText: 'chosen' });
    await chosen.getByRole('heading', { name: 'sql' }).waitFor();
    assert.match(await chosen.innerText(), /tables\s+\+\d/);
    await page.getByLabel('A sentence').fill('Good morning');
    await page.getByText('No skill scores enough').waitFor();
  });

  it('takes feedback on an answer, shows what the router learnt from, and forgets it', async () => {
    await page.evaluate(() => sessionStorage.clear());
    await page.goto('about:blank');
    await open('chat');
    await page.locator('#message').fill('Where does my cousin live?');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'This did not help' }).click();
    await page.getByRole('button', { name: /^draft/ }).click();
    await page.getByText('Thank you: the router learns from it.').waitFor();
    await page.locator('.happened').getByRole('link', { name: 'Why?' }).click();
    assert.equal(await page.getByLabel('A sentence').inputValue(), 'Where does my cousin live?');
    const records = page.locator('.records li', { hasText: 'Where does my cousin live?' });
    await records.filter({ hasText: '→ draft' }).waitFor();
    for (let left = await records.count(); left > 0; left--) {
      await records.first().getByRole('button').click();
      await records.nth(left - 1).waitFor({ state: 'detached' });
    }
    await page.getByText('No feedback was given yet.').waitFor();
  });

  it('says when the server has no router', async () => {
    await page.route('**/api/router/explain*', (route) =>
      route.fulfill({ status: 404, json: { error: { message: 'there is none' } } }),
    );
    await page.goto('about:blank');
    await open('router');
    await page.getByRole('heading', { name: 'This Phoenix has no router' }).waitFor();
    await page.unroute('**/api/router/explain*');
  });

  it('says what leaves this machine', async () => {
    await open('privacy');
    await page.getByRole('heading', { name: 'This installation is in no federation' }).waitFor();
    assert.match(await page.locator('.ways-out').innerText(), /Models are fetched by phoenix models pull/);
  });

  it('shows what rounds have spent of the budget, what one more would cost, and that nothing is known of a damaged ledger', async () => {
    const folder = federatedFolders(assistant.stateDir).coordinator;
    const ledger = PrivacyLedger.open(folder);
    ledger.setPolicy({ epsilon: 2, delta: 1e-5, adjacency: 'add_remove', unit: 'client' });
    const release = { mode: 'full', noise: 8, rate: 1, dimension: 1000, clip: 1, divisor: 100 } as const;
    for (const round of [1, 2, 3]) ledger.append({ ...release, round });
    await page.goto('about:blank');
    await open('privacy');
    await page.locator('.table-box tbody tr').nth(2).waitFor();
    const { epsilon } = ledger.spending();
    const shown = (value: number) =>
      new Intl.NumberFormat('en', { maximumFractionDigits: value < 1 ? 2 : 1 }).format(value);
    await page.getByText(`${shown(epsilon)} of 2`).waitFor();
    await page.getByText(`ε = ${shown(ledger.epsilonAfter({ ...release, round: 4 }))}`).waitFor();
    await page.getByText('within the budget').waitFor();
    writeFileSync(join(folder, 'ledger.jsonl'), 'nonsense');
    await page.goto('about:blank');
    await open('privacy');
    await page.getByText('What was spent is not known.').waitFor();
  });

  it('says what an installation in a federation has sent, to the byte, and switches that off and on', async () => {
    const folder = federatedFolders(assistant.stateDir).client;
    await using server = await FederationServer.start({
      ...{ folder: join(assistant.stateDir, 'other'), spec: MEAN_SPEC, host: '127.0.0.1', port: 0, enrolmentPort: 0 },
      settings: { mode: 'full', rate: 1, noise: 4, clip: 10, population: 100, roundMs: 60_000, pauseMs: 600_000 },
      policy: { epsilon: 2, delta: 1e-5, adjacency: 'add_remove', unit: 'client' },
    });
    await enrol(folder, await invite(join(assistant.stateDir, 'other'), 60_000));
    await page.goto('about:blank');
    await open('privacy');
    await page.getByText('It has answered no round yet: nothing was sent.').waitFor();
    using client = new FederationClient({ folder, model: new MeanModel([1, 0, 0, 0]) });
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.locator('.badge', { hasText: 'paused' }).waitFor();
    await client.step(100);
    assert.equal(server.coordinator.status().round?.received, 0);
    await page.getByRole('button', { name: 'Take part again' }).click();
    await page.locator('.badge', { hasText: 'on' }).waitFor();
    await client.step(30_000);
    assert.equal(server.coordinator.status().round?.received, 1);
    await page.goto('about:blank');
    await open('privacy');
    const row = page.getByRole('region', { name: 'What left this machine' }).locator('tbody tr');
    await row.getByText('clipped update, the coordinator can read it').waitFor();
    const [sent] = readClient(folder)?.sent ?? [];
    assert.ok(sent && sent.round === 1 && sent.numbers === MEAN_SPEC.dimension && sent.bytes > 0);
    assert.deepEqual((await row.locator('.number').allInnerTexts()).map(Number), [sent.numbers, sent.bytes]);
    await page.getByText('The router uses what was trained here.').waitFor();
  });
});
