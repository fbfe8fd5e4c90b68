/**
 * Makes test/fixtures/state/: what an installation keeps, as this version writes it. Run it, once, before a version that writes another
 * format of a file; test/upgrade.test.ts opens what is there with every later version.
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Coordinator } from '../src/federated/coordinator.ts';
import { COORDINATOR_FORMATS, Membership } from '../src/federated/index.ts';
import { createSigningKeys } from '../src/federated/signed-model.ts';
import { emptyWeights, encodeModel, HashedFeatures } from '../src/router/index.ts';
import { startAssistant } from '../test/support/assistant.ts';

const FIXTURE = join(import.meta.dirname, '../test/fixtures/state');
const FILES = ['memory.db', 'skills/sql/data/main.db', 'router/feedback.db', 'router/base.bin', 'speculation.json'];

const stateDir = mkdtempSync(join(tmpdir(), 'phoenix-fixture-'));
const assistant = await startAssistant({ PHOENIX_STATE_DIR: stateDir });
const post = async (path: string, body: unknown) => {
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const response = await fetch(new URL(path, assistant.url), init);
  if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
};
const fact = (object: string, at: number) => ({ subject: 'Ana', verb: 'vive_en', object, at });
await post('/api/memory', { facts: [fact('Lugo', 1000), fact('Roma', 2000)] });
await post('/api/memory', {
  subject: 'Luis',
  verb: 'le_gusta',
  object: "O'Neil 👩‍👩‍👧",
  confidence: 0.5,
  source: 'rag',
  at: 3000,
});
const sql = (prompt: string) => post('/api/skills/sql/call', { prompt, grants: ['schema'] });
await sql('CREATE TABLE sales (id INTEGER PRIMARY KEY, amount REAL)');
await sql('INSERT INTO sales (amount) VALUES (1.5), (2.5)');
await post('/api/feedback', { text: 'how many sales were there?', skill: 'sql' });
const { id: features, dimension } = new HashedFeatures();
const model = encodeModel({
  weights: emptyWeights(features, dimension, ['sql']),
  calibration: [{ slope: 1, offset: 0 }],
  fingerprint: 'fixture',
});
await post('/api/router/weights', { model: model.toString('base64') });
await assistant.stop();

const folder = join(stateDir, 'federated', 'coordinator');
mkdirSync(folder, { recursive: true });
const members = new Membership(folder);
members.enrol(members.invite(1000), { id: 'client', fingerprint: 'print' });
const keys = createSigningKeys();
const settings = { mode: 'full', rate: 1, noise: 1, clip: 1, population: 1, roundMs: 1000, pauseMs: 1000 } as const;
const policy = { epsilon: 100, delta: 1e-5, adjacency: 'add_remove', unit: 'client' } as const;
const coordinator = new Coordinator({ folder, spec: { id: 'fixture', dimension: 3 }, settings, policy, members, keys });
coordinator.tick(0);
coordinator.tick(1000);
writeFileSync(join(folder, 'public-key.pem'), keys.publicKey);

rmSync(FIXTURE, { recursive: true, force: true });
const federated = [...COORDINATOR_FORMATS.map(({ file }) => file), 'models/1.json', 'public-key.pem'];
for (const file of [...FILES, ...federated.map((name) => join('federated/coordinator', name))]) {
  mkdirSync(dirname(join(FIXTURE, file)), { recursive: true });
  cpSync(join(stateDir, file), join(FIXTURE, file));
}
rmSync(stateDir, { recursive: true });
