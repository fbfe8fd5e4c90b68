/** How long it takes until the web console can be used, beside a page that shows one input and does nothing. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { Browser } from 'playwright-core';
import { bundleConsole } from '../src/bundle/index.ts';
import { startAssistant } from '../test/support/assistant.ts';
import { launchBrowser, noBrowser } from '../test/support/browser.ts';
import { Figures, median, report } from './measure.ts';

const BARE = '<!doctype html><title>bare</title><input id="message">';

export async function benchConsole({ quick }: { quick: boolean }): Promise<Figures> {
  const figures = new Figures();
  if (noBrowser) {
    process.stdout.write('console: left out, there is no chromium\n\n');
    return figures;
  }
  await using stack = new AsyncDisposableStack();
  const bare = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html').end(BARE);
  });
  await new Promise<void>((resolve) => bare.listen(0, '127.0.0.1', resolve));
  stack.defer(() => {
    bare.close();
  });
  const bareUrl = `http://127.0.0.1:${(bare.address() as AddressInfo).port}`;
  const browser = await launchBrowser();
  stack.defer(() => browser.close());
  // The browser's own first page.
  await untilUsable(browser, bareUrl);
  const assistants = quick ? 1 : 3;
  for (let n = 0; n < assistants; n++) {
    await using assistant = await startAssistant();
    // In a clone the first look builds the console.
    figures.add('console, the first look after the start', 'ms', await untilUsable(browser, assistant.url));
    for (let round = 0; round < 5; round++) {
      figures.add('console', 'ms', await untilUsable(browser, assistant.url));
      figures.add('a page with one input', 'ms', await untilUsable(browser, bareUrl));
    }
  }
  const files = [...(await bundleConsole()).values()];
  figures.add('size, compressed', 'kB', files.reduce((sum, file) => sum + gzipSync(file).length, 0) / 1000);
  const of = (name: string) => median(figures.get(name)?.rounds ?? []);
  const more = of('console') - of('a page with one input');
  process.stdout.write(
    report('until a message can be written', figures.all(), [
      `the console takes ${more.toFixed(0)} ms longer than a page with one input (usable within 1,000 ms)`,
    ]),
  );
  return figures;
}

/** With nothing in the browser's cache. @returns milliseconds until something could be written into the page */
async function untilUsable(browser: Browser, url: string): Promise<number> {
  const context = await browser.newContext();
  const page = await context.newPage();
  const started = performance.now();
  await page.goto(url, { waitUntil: 'commit' });
  await page.locator('#message').fill('hello');
  const took = performance.now() - started;
  await context.close();
  return took;
}
