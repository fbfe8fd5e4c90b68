/**
 * `npm run screenshots`: pictures of every view of the web console for the documents, in docs/images/, from an assistant that is
 * started for them and told a few things. Needs chromium.
 */
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { phoenix, startAssistant, temporaryFolder } from '../test/support/assistant.ts';
import { launchBrowser, openPage } from '../test/support/browser.ts';
import { startFederate } from '../test/support/federation.ts';

const FOLDER = join(import.meta.dirname, '../docs/images');
const MINUTE_MS = 60_000;
/** How long things happen before the charts are drawn. */
const BUSY_MS = 2 * MINUTE_MS;
const DAY_MS = 24 * 60 * MINUTE_MS;

const now = Date.now();
const FACTS = [
  ['hermana', 'vive_en', 'Sevilla', 900],
  ['hermana', 'vive_en', 'Madrid', 200],
  ['hermana', 'trabaja_en', 'biblioteca', 150],
  ['hermana', 'se_llama', 'Ana', 900],
  ['Ana', 'habla', 'gallego', 120],
  ['Ana', 'le_gusta', 'café', 90],
  ['biblioteca', 'está_en', 'Madrid', 150],
  ['hermano', 'vive_en', 'Roma', 400],
  ['hermano', 'tiene', 'perro', 60],
  ['perro', 'se_llama', 'Luna', 60],
  ['madre', 'vive_en', 'Lugo', 700],
  ['madre', 'habla', 'gallego', 700],
  ['madre', 'le_gusta', 'café', 30],
].map(([subject, verb, object, days]) => ({ subject, verb, object, at: now - Number(days) * DAY_MS }));

process.stderr.write(`The pictures are taken after ${BUSY_MS / 1000} s of use.\n`);
mkdirSync(FOLDER, { recursive: true });
await using assistant = await startAssistant();
const post = (path: string, body: object) =>
  fetch(assistant.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
const browser = await launchBrowser();
const leaveFederation = await joinFederation();
try {
  await post('/api/memory', { facts: FACTS });
  const { page } = await openPage(browser, assistant.url, { viewport: { width: 1200, height: 800 } });
  const { page: dark } = await openPage(browser, assistant.url, {
    viewport: { width: 1200, height: 800 },
    colorScheme: 'dark',
    locale: 'es-ES',
  });
  await keepBusy();
  await talk(page, ['My sister speaks Portuguese', 'Where does my sister live?']);
  await shoot(page, 'chat');
  await show(page, 'skills', 'skills');
  await show(page, 'skills/sql', 'skill');
  await show(page, 'memory', 'memory');
  await page.goto(`${assistant.url}/#/memory/hermana`);
  await page.locator('.graph-side h2').waitFor();
  await setTimeout(500);
  await shoot(page, 'memory-graph');
  await show(page, 'metrics', 'metrics');
  await show(page, 'router', 'router');
  await show(page, 'privacy', 'privacy');
  await talk(dark, ['Mi hermana habla portugués', '¿Dónde vive mi hermana?']);
  await shoot(dark, 'chat-dark');
  await show(dark, 'metrics', 'metrics-dark');
} finally {
  await browser.close();
  leaveFederation();
}

/** A federation that the assistant takes part in while the pictures are prepared. @returns what ends it */
async function joinFederation(): Promise<() => void> {
  const state = { PHOENIX_STATE_DIR: temporaryFolder() };
  const running: ChildProcess[] = [];
  const settings = '--population 1000 --noise 4 --epsilon 3 --round-time 15s --pause 10s --port 0 --enrolment-port 0';
  const coordinator = startFederate(state, running, 'serve', ...settings.split(' '));
  await coordinator.line(/coordinating on/);
  const invitation = phoenix(['federate', 'invite'], state).stdout.trim();
  startFederate({ PHOENIX_STATE_DIR: assistant.stateDir }, running, 'join', invitation);
  return () => {
    for (const child of running) child.kill();
    coordinator.child.once('exit', () => rmSync(state.PHOENIX_STATE_DIR, { recursive: true, force: true }));
  };
}

/** Asks this and that, so that there is something to see. */
async function keepBusy(): Promise<void> {
  const questions = ['¿Dónde vive mi hermana?', '¿Qué tiene mi hermano?', 'Buenos días', 'Where does my mother live?'];
  const end = Date.now() + BUSY_MS;
  for (let n = 0; Date.now() < end; n++) {
    if (process.stderr.isTTY)
      process.stderr.write(`\r${Math.ceil((end - Date.now()) / 1000)} s until the pictures are taken `);
    const content = questions[n % questions.length];
    const model = n % 20 === 10 ? 'phoenix-nano-target' : 'phoenix';
    await post('/v1/chat/completions', { model, messages: [{ role: 'user', content }], max_tokens: 48 });
    await setTimeout(700);
  }
}

async function talk(page: Page, messages: readonly string[]): Promise<void> {
  for (const message of messages) {
    await page.locator('#message').fill(message);
    await page.keyboard.press('Enter');
    await page.locator('.answer-actions button').nth(1).waitFor();
    await setTimeout(400);
  }
  // Without a caret.
  await page.locator('h1').focus();
}

async function show(page: Page, view: string, name: string): Promise<void> {
  await page.goto(`${assistant.url}/#/${view}`);
  await page.locator('h1').waitFor();
  await page.locator('.loading').waitFor({ state: 'detached' });
  await setTimeout(800);
  await shoot(page, name);
}

async function shoot(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(FOLDER, `${name}.png`) });
  process.stdout.write(`docs/images/${name}.png\n`);
}
