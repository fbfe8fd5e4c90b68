/** The generator with the model that comes with Phoenix and its slow twins: loading, limits, cancellation, drafts that die. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type EndedGeneration, Generator, type GeneratorOptions } from '../src/generation/index.ts';
import { RemoteDraft } from '../src/speculative/index.ts';
import { writeVariant } from './support/gguf.ts';
import { killSkill } from './support/kill.ts';
import { NANO_TARGET } from './support/nano.ts';
import { availableRuntimes, createTestPool } from './support/pool.ts';

const folder = mkdtempSync(join(tmpdir(), 'phoenix-generation-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Says what nano says and takes about ten times as long. */
const slowModel = join(folder, 'slow.gguf');
writeVariant(NANO_TARGET, slowModel, { type: 'q8_0', extraLayers: 12, width: 1024 });

function create(options: Partial<GeneratorOptions> = {}): Generator {
  return new Generator({
    ...{ gpu: 'off', threads: 1, contextSize: 512, parallel: 2, speculation: 'exact' },
    profileFile: join(folder, 'profiles.json'),
    file: () => NANO_TARGET,
    draft: () => undefined,
    ...options,
  });
}

const long = { raw: '<|answer|>What do you know about Ana?<|facts|>' };
/** Goes on until somebody stops it: the grammar has no end. */
const endless = { format: { kind: 'gbnf', grammar: 'root ::= [a-z ] root' } } as const;
const free = { temperature: 1.2, seed: 5, maxTokens: 300 };

async function textOf(generator: Generator, input = long, options: object = free): Promise<string> {
  let text = '';
  for await (const piece of await generator.generate(input, options)) text += piece.text;
  return text;
}

describe('Generator', () => {
  it('loads once for all who ask, and lets who leaves go at once', async () => {
    let files = 0;
    const generator = create({
      file: () => {
        files++;
        return NANO_TARGET;
      },
    });
    const impatient = new AbortController();
    const left = assert.rejects(generator.load(impatient.signal), /gone/);
    const cards = Promise.all([generator.load(), generator.load(), generator.generate(long, free)]);
    impatient.abort(new Error('gone'));
    await left;
    assert.equal(generator.loaded, undefined, 'it waited for the model');
    const [card] = await cards;
    assert.deepEqual([card.name, card.canChat, files], ['phoenix-nano-target', false, 1]);
    await generator.close();
    await assert.rejects(generator.load(), /is being stopped/);
  });

  it('says why there is no model, asks for it again later, and never brings the rest down', async () => {
    const broken = join(folder, 'broken.gguf');
    writeFileSync(broken, readFileSync(NANO_TARGET).subarray(0, 500_000));
    const cases: [Partial<GeneratorOptions>, RegExp][] = [
      [{ file: () => broken }, /broken\.gguf.*(ends|truncated|too short|bytes)/],
      [{ file: () => join(folder, 'missing.gguf') }, /missing\.gguf/],
      [{ availableBytes: 1000 }, /does not fit: it needs about \d+ MiB/],
    ];
    for (const [options, message] of cases) {
      const failures: unknown[] = [];
      const generator = create({ ...options, observer: { failed: (error) => failures.push(error) } });
      await assert.rejects(generator.generate(long), { code: 'no_model', message });
      await assert.rejects(generator.generate(long), { code: 'no_model', message });
      assert.equal(failures.length, 1, 'it tried again at once');
      await generator.close();
    }
  });

  it('ends a generation that nobody wants any more', async () => {
    const ended: EndedGeneration[] = [];
    const generator = create({ file: () => slowModel, observer: { generated: (end) => ended.push(end) } });
    const tokens = () => Object.values(generator.statistics()?.tokens ?? {}).reduce((sum, count) => sum + count, 0);
    const stays = async () => {
      await sleep(50);
      const then = tokens();
      await sleep(200);
      assert.equal(tokens(), then, 'it goes on');
    };
    for await (const _ of await generator.generate(long, endless)) if (tokens() > 5) break;
    await stays();
    const gone = new AbortController();
    const left = (async () => {
      for await (const _ of await generator.generate(long, endless, gone.signal)) if (tokens() > 20) gone.abort();
    })();
    await assert.rejects(left, /aborted/);
    await stays();
    assert.deepEqual(
      ended.map(({ finish }) => finish),
      ['cancelled', 'cancelled'],
    );
    const closing = assert.rejects(textOf(generator, long, endless), /is being stopped/);
    await sleep(100);
    await generator.close();
    await closing;
  });

  it('refuses more than can wait', async () => {
    const generator = create({ file: () => slowModel, parallel: 1 });
    const gone = new AbortController();
    const waiting = Array.from({ length: 17 }, async () => {
      for await (const _ of await generator.generate(long, endless, gone.signal));
    });
    const ends = Promise.allSettled(waiting);
    await generator.load();
    await sleep(100);
    await assert.rejects(generator.generate(long, endless), { code: 'busy' });
    gone.abort();
    assert.ok((await ends).every(({ status }) => status === 'rejected'));
    assert.ok((await textOf(generator, long, { ...free, maxTokens: 5 })).length >= 0);
    await generator.close();
  });

  it('writes the same with a draft that is killed as without one', async () => {
    const [runtime = 'process'] = await availableRuntimes();
    const test = createTestPool(runtime);
    const alone = create({ file: () => slowModel, speculation: 'off' });
    const drafted = create({ file: () => slowModel, draft: () => new RemoteDraft(test.pool.client('draft')) });
    try {
      const expected = await textOf(alone);
      await test.pool.getSkillClient('draft');
      assert.equal(await textOf(drafted), expected);
      let text = '';
      let tokens = 0;
      for await (const piece of await drafted.generate(long, free)) {
        text += piece.text;
        if (++tokens === 10) killSkill(test.paths, 'draft', 'innermost');
      }
      assert.equal(text, expected);
    } finally {
      await Promise.all([alone.close(), drafted.close()]);
      await test.cleanUp();
    }
  });

  it('talks with a model that has a chat template, in the form that this says', async () => {
    const file = join(folder, 'chat.gguf');
    const chatTemplate =
      "{% for message in messages %}[{{ message['role'] }}] {{ message['content'] }}\n{% endfor %}[assistant]";
    writeVariant(NANO_TARGET, file, { type: 'q8_0', chatTemplate });
    const generator = create({ file: () => file });
    assert.equal((await generator.load()).canChat, true);
    const one = { messages: [{ role: 'user', text: 'hola' }] } as const;
    const two = { messages: [...one.messages, { role: 'assistant', text: 'sí' }, ...one.messages] } as const;
    const tokensOf = async (input: typeof one | typeof two) => (await generator.generate(input, free)).promptTokens;
    const model = await generator.textModel();
    assert.ok(model.controlToken('<|out|>') && !model.controlToken('<|nothing|>') && !model.controlToken('out'));
    assert.ok((await tokensOf(two)) > (await tokensOf(one)));
    await generator.close();
  });

  it('reads the file that is there when it is needed', async () => {
    const file = join(folder, 'later.gguf');
    const generator = create({ file: () => file });
    assert.equal(generator.name, undefined);
    copyFileSync(NANO_TARGET, file);
    assert.equal(generator.name, 'phoenix-nano-target');
    assert.equal((await generator.load()).contextSize, 511);
    await generator.close();
  });
});
