import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { makeLayer } from './layers.ts';

it('a layer that two images share is whole when both are built at the same time', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'phoenix-layers-'));
  try {
    const from = join(folder, 'program');
    writeFileSync(from, Buffer.alloc(3_000_000, 'x'));
    const path = join(folder, 'cache', 'layer.tar');
    const sources = [{ path: 'app/program', from, isProgram: true }];
    const layers = await Promise.all([1, 2, 3].map(() => makeLayer(path, sources)));
    assert.equal(new Set(layers.map(({ digest, size }) => `${digest} ${size}`)).size, 1);
    assert.ok(readFileSync(path).length > 3_000_000);
    assert.deepEqual(readdirSync(join(folder, 'cache')).sort(), ['layer.tar', 'layer.tar.sha256']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
