import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { it } from 'node:test';
import { testLlama } from '../../test/support/nano.ts';
import { sharedLibraries } from './shared-libraries.ts';

it('the libraries of Node are those that it links to, whatever this process has loaded', async () => {
  await using _llama = await testLlama();
  const paths = [...sharedLibraries().keys()];
  assert.ok(paths.some((path) => /libc\.so/.test(path)) && paths.some((path) => /ld-linux/.test(path)), `${paths}`);
  for (const path of paths) {
    assert.ok(existsSync(path), path);
    assert.ok(!path.includes('node_modules'), path);
  }
});
