/** Loaded into an assistant to make it break every promise now and then: a suite that does not notice is worth nothing. */
import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EntityMemory } from '../../src/memory/index.ts';
import { SkillClient } from '../../src/pool/index.ts';

let stores = 0;
const { storeMany } = EntityMemory.prototype;
EntityMemory.prototype.storeMany = async function (facts) {
  stores++;
  const isProbe = facts.some(({ subject }) => subject === 'probe');
  if (!isProbe && stores % 7 === 0) return { stored: facts.length, durable: 'skill' };
  if (!isProbe && stores % 5 === 0) await storeMany.call(this, facts);
  return await storeMany.call(this, facts);
};

let calls = 0;
const { infer } = SkillClient.prototype;
SkillClient.prototype.infer = async function (request, options = {}) {
  if (this.skill !== 'echo') return await infer.call(this, request, options);
  calls++;
  const answer = await infer.call(this, request, options);
  if (calls % 7 === 0) await sleep((options.timeoutMs ?? 0) + 500);
  return calls % 5 === 0 ? { ...answer, text: 'something else' } : answer;
};

mkdtempSync(join(tmpdir(), 'left-behind-'));
spawn('sleep', ['600'], { detached: true, stdio: 'ignore' }).unref();
