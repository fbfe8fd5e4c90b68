/** Node as images have it, without a part of ICU's data, against the whole one. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findObject, readElf } from '../src/runtimes/docker/elf.ts';
import { ICU_SYMBOL, icuItems, icuSubset, isKept } from '../src/runtimes/docker/icu.ts';
import { makeLayer } from '../src/runtimes/docker/layers.ts';
import { programOf } from '../src/runtimes/docker/program.ts';
import { isMissing } from './support/requirements.ts';
import { loaded, reading } from './support/small-program.ts';

type Answers = Record<string, Record<string, unknown>>;

/** What is in English outside of English and Spanish: names, units, durations in words, and how an offset is written. */
const IN_ENGLISH = /^(unit|duration|zone|names (language|region|script|calendar)$)/;
const ENGLISH_OR_SPANISH = /^(en|es)\b/;
const script = (name: string) => fileURLToPath(new URL(`support/${name}-answers.ts`, import.meta.url));

const whole = readFileSync(process.execPath);
const elf = readElf(reading(whole));
const isSmaller = programOf(process.execPath)?.hasIcuSubset === true;
const icuAt = elf && findObject(reading(whole), elf, ICU_SYMBOL);

/** The locales that ICU has data of. */
function localesOfIcu(): string[] {
  const items = (icuAt && icuItems(reading(whole), icuAt)) ?? [];
  return items.flatMap(({ name }) => {
    const [, locale] = /^([a-z]{2,3}(?:_\w+)?)\.res$/.exec(name) ?? [];
    try {
      return locale ? Intl.getCanonicalLocales(locale.replaceAll('_', '-')) : [];
    } catch {
      // th_TH_TRADITIONAL for example, which is no name in JavaScript.
      return [];
    }
  });
}

describe('Node in an image', { skip: isMissing('a Node for x86-64 with ICU 78', isSmaller) }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'phoenix-node-'));
  const smaller = join(folder, 'app/node');
  before(async () => {
    const layer = await makeLayer(join(folder, 'layer.tar'), [
      { path: 'app/node', from: process.execPath, isProgram: true },
    ]);
    assert.equal(spawnSync('tar', ['-xf', layer.path, '-C', folder]).status, 0);
    chmodSync(smaller, 0o755);
  });
  after(() => rmSync(folder, { recursive: true }));

  /** What a script prints, on the whole Node and on the smaller one. */
  async function onBoth(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Answers[]> {
    return await Promise.all(
      [process.execPath, smaller].map(async (node) => {
        const child = spawn(node, args, {
          stdio: ['ignore', 'pipe', 'pipe'],
          env: { ...process.env, LC_ALL: 'C', ...env },
        });
        const [out, said] = await Promise.all([text(child.stdout), text(child.stderr)]);
        assert.notEqual(out, '', `${node}: ${child.signalCode} ${said}`);
        return JSON.parse(out) as Answers;
      }),
    );
  }

  it('has what numbers, dates, money, plurals, sorting and segmentation of all locales need', async () => {
    const locales = localesOfIcu();
    assert.ok(locales.length > 900, `${locales.length}`);
    const [before = {}, now = {}] = await onBoth([script('intl'), JSON.stringify(locales)]);
    assert.deepEqual(Object.keys(now), Object.keys(before));
    for (const [kind, answers] of Object.entries(before)) {
      for (const [name, answer] of Object.entries(answers)) {
        if (!IN_ENGLISH.test(kind) || ENGLISH_OR_SPANISH.test(name))
          assert.deepEqual(now[kind]?.[name], answer, `${kind} of ${name}`);
        else assert.doesNotMatch(JSON.stringify(now[kind]?.[name]), /Error/, `${kind} of ${name}`);
      }
    }
    const french = (kind: string) => now[kind]?.fr;
    assert.deepEqual(french('names language'), ['German', 'Brazilian Portuguese', 'Traditional Chinese']);
    assert.deepEqual(french('unit long'), ['3 kilometers', '3 liters per kilometer', '3 bytes']);
    assert.deepEqual((french('zone long') as string[])[0], '09/02/2024 Central European Standard Time');
    assert.deepEqual(french('relative long'), before['relative long']?.fr);
  });

  it('has names as codes where the language of the process is another one', async () => {
    const [before = {}, now = {}] = await onBoth([script('intl'), '["de","en","es-MX","ar"]'], {
      LC_ALL: 'de_DE.UTF-8',
    });
    assert.deepEqual(before['names region']?.de, ['Frankreich', 'Lateinamerika']);
    assert.deepEqual(now['names region']?.de, ['FR', '419']);
    assert.deepEqual(now['unit long']?.de, ['3 km', '3 L/km', '3 byte']);
    for (const locale of ['en', 'es-MX'])
      for (const kind of Object.keys(before)) assert.deepEqual(now[kind]?.[locale], before[kind]?.[locale], kind);
  });

  it('decodes every encoding of the Web, and does all else that it did', async () => {
    const [before = {}, now] = await onBoth([script('node')]);
    assert.ok(Object.keys(before).length > 60);
    assert.deepEqual(now, before);
  });

  it('finds its way back through its own stack', () => {
    const frames = (node: string) => {
      const { stderr } = spawnSync(node, ['--max-old-space-size=16', '-e', 'const a = []; for (;;) a.push({})'], {
        encoding: 'utf8',
        cwd: folder,
      });
      return Array.from(stderr.matchAll(/^ *\d+: (0x.*) \[/gm), ([, frame]) => frame);
    };
    assert.ok(frames(process.execPath).length > 5);
    assert.deepEqual(frames(smaller), frames(process.execPath));
  });

  it("has the items of ICU's data that are kept, byte for byte, in their order", () => {
    const now = readFileSync(smaller);
    assert.ok(icuAt);
    const size = icuSubset(reading(whole), icuAt)?.size ?? 0;
    const kept = icuItems(reading(whole), icuAt)?.filter(isKept);
    const items = icuItems(reading(now), { start: icuAt.start, end: icuAt.start + size });
    assert.deepEqual(
      items?.map(({ name }) => name),
      kept?.map(({ name }) => name),
    );
    for (const [index, { name, start, end }] of (kept ?? []).entries()) {
      const { start: at = 0, end: to = 0 } = items?.[index] ?? {};
      assert.ok(now.subarray(at, to).equals(whole.subarray(start, end)), name);
    }
  });

  it('has no symbols and less data, and nothing of what it was at another address', () => {
    const size = statSync(smaller).size;
    assert.equal(size, programOf(process.execPath)?.size);
    assert.ok(size < 95_000_000, `${size}`);
    const now = readFileSync(smaller);
    let compared = 0;
    const wasAt = (address: number) => {
      const within = loaded(whole).find((one) => one.address <= address && address < one.address + one.size);
      return within && within.offset + address - within.address;
    };
    for (const { offset, address, size: bytes } of loaded(now)) {
      const from = wasAt(address) ?? assert.fail(`${address} was not loaded`);
      const same = whole.subarray(from, from + bytes);
      // Only two parts differ: the header with the table of segments, and ICU's data.
      const differences = [...chunks(bytes)].filter(
        ([start, end]) => !same.subarray(start, end).equals(now.subarray(offset + start, offset + end)),
      );
      const extent = (differences.at(-1)?.[1] ?? 0) - (differences[0]?.[0] ?? 0);
      assert.ok(extent <= (offset === 0 ? CHUNK : 20_000_000), `${extent} bytes differ at ${address.toString(16)}`);
      compared += bytes - extent;
    }
    assert.ok(compared > 70_000_000, `${compared}`);
  });
});

const CHUNK = 4096;
function* chunks(size: number): Generator<[number, number]> {
  for (let at = 0; at < size; at += CHUNK) yield [at, Math.min(at + CHUNK, size)];
}
