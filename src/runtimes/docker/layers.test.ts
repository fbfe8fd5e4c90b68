import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
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

it('a program in a layer has what is loaded of it and nothing else, and runs', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'phoenix-layers-'));
  try {
    const empty = join(folder, 'empty');
    writeFileSync(empty, '');
    const layer = await makeLayer(join(folder, 'layer.tar'), [
      { path: 'app/node', from: process.execPath, isProgram: true },
      { path: 'app/empty', from: empty },
    ]);
    assert.equal(spawnSync('tar', ['-xf', layer.path, '-C', folder]).status, 0);
    const program = join(folder, 'app/node');
    assert.ok(statSync(program).size < statSync(process.execPath).size);
    const text = "JSON.stringify([process.version, 'é'.localeCompare('f', 'es'), new Error('a').stack.length > 0])";
    const { stdout, stderr } = spawnSync(program, ['-p', text], { encoding: 'utf8' });
    assert.deepEqual(stdout && JSON.parse(stdout), [process.version, -1, true], stderr);
    assert.equal(statSync(join(folder, 'app/empty')).size, 0);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
