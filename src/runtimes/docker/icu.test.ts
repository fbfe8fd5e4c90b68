import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { icuData, reading } from '../../../test/support/small-program.ts';
import type { Range } from './elf.ts';
import { type IcuItem, icuItems, icuSubset, isKept } from './icu.ts';

const all = (file: Buffer): Range => ({ start: 0, end: file.length });
const item = (name: string, bytes = 16): IcuItem => ({ name, start: 0, end: bytes });

/** The subset as a file of its own. */
function subsetOf(file: Buffer, isWanted: (one: IcuItem) => boolean, at = all(file)): Buffer | undefined {
  const subset = icuSubset(reading(file), at, isWanted);
  if (!subset) return undefined;
  const bytes = Buffer.concat([subset.head, ...subset.kept.map(({ start, end }) => file.subarray(start, end))]);
  assert.equal(bytes.length, subset.size);
  return bytes;
}
const contents = (file: Buffer) =>
  icuItems(reading(file), all(file))?.map(({ name, start, end }) => [name, file.toString('hex', start, end)]);

const anyItems = fc
  .dictionary(fc.string({ unit: fc.constantFrom(...'abcz_/.'), minLength: 1, maxLength: 9 }), fc.nat(4), { minKeys: 1 })
  .map((sizes) => {
    const names = Object.keys(sizes).sort();
    return Object.fromEntries(names.map((name, n) => [name, Buffer.alloc(16 * ((sizes[name] ?? 0) + 1), n + 1)]));
  });

describe("a subset of ICU's data", () => {
  it('has the items that are kept, byte for byte, in the order in which they are looked up', () => {
    fc.assert(
      fc.property(anyItems, fc.integer({ min: 1, max: 5 }), (items, every) => {
        const file = icuData(items);
        const whole = contents(file);
        assert.deepEqual(
          whole?.map(([name]) => name),
          Object.keys(items),
        );
        const kept = Object.keys(items).filter((_, index) => index % every === 0);
        const subset = subsetOf(file, ({ name }) => kept.includes(name));
        assert.deepEqual(
          subset && contents(subset),
          whole?.filter(([name = '']) => kept.includes(name)),
        );
        assert.ok(subset && subset.length <= file.length);
      }),
    );
  });

  it('is the same data when everything is kept', () => {
    const file = icuData({ 'a.res': Buffer.alloc(32, 1), 'b/c.res': Buffer.alloc(16, 2) });
    assert.deepEqual(
      subsetOf(file, () => true),
      file,
    );
  });

  it('stands anywhere in a file, and ends where the next object starts', () => {
    const data = icuData({ 'a.res': Buffer.alloc(32, 1), 'b.res': Buffer.alloc(16, 2) });
    const file = Buffer.concat([Buffer.alloc(48, 'x'), data, Buffer.alloc(64, 'y')]);
    const subset = subsetOf(file, ({ name }) => name === 'b.res', { start: 48, end: 48 + data.length });
    assert.deepEqual(subset && contents(subset), [['b.res', '02'.repeat(16)]]);
  });

  it('is none of data that are not as expected, whatever is broken', () => {
    const file = icuData({ 'a.res': Buffer.alloc(32), 'b.res': Buffer.alloc(16), 'c.res': Buffer.alloc(16) });
    const broken = (change: (copy: Buffer) => void) => {
      const copy = Buffer.from(file);
      change(copy);
      return subsetOf(copy, () => true);
    };
    assert.ok(broken(() => {}));
    const list = 32;
    const ways: Record<string, (copy: Buffer) => void> = {
      'another magic number': (copy) => copy.writeUInt8(0, 2),
      'big endian': (copy) => copy.writeUInt8(1, 8),
      'another format': (copy) => copy.write('ResB', 12),
      'a later version of it': (copy) => copy.writeUInt8(2, 16),
      'no items': (copy) => copy.writeUInt32LE(0, list),
      'more items than fit': (copy) => copy.writeUInt32LE(99_999, list),
      'a name elsewhere': (copy) => copy.writeUInt32LE(0xffff_ffff, list + 4),
      'a content elsewhere': (copy) => copy.writeUInt32LE(0xffff_fff0, list + 16),
      'contents in another order': (copy) => copy.writeUInt32LE(copy.readUInt32LE(list + 24), list + 16),
      'a content that is not aligned': (copy) => copy.writeUInt32LE(copy.readUInt32LE(list + 16) + 1, list + 16),
      'names in another order': (copy) => copy.write('z', copy.indexOf('a.res')),
      'another prefix': (copy) => copy.write('icudt77l', copy.indexOf('icudt78l/b')),
    };
    for (const [way, change] of Object.entries(ways)) assert.equal(broken(change), undefined, way);
    for (let end = 0; end < file.length - 16; end += 7)
      assert.equal(
        subsetOf(file, () => true, { start: 0, end }),
        undefined,
        `cut off at ${end}`,
      );
  });

  it('never fails on bytes of any kind', () => {
    const file = icuData({ 'a.res': Buffer.alloc(32), 'b.res': Buffer.alloc(16), 'c.res': Buffer.alloc(16) });
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(120), fc.nat(255)), { maxLength: 6 }), (changes) => {
        const copy = Buffer.from(file);
        for (const [at, byte] of changes) copy[at] = byte;
        subsetOf(copy, ({ name }) => name < 'icu');
      }),
    );
  });
});

describe('what images have of it', () => {
  it('is all that numbers, dates, money, sorting and segmentation read', () => {
    for (const name of [
      'de.res',
      'root.res',
      'pool.res',
      'curr/de.res',
      'coll/zh.res',
      'brkitr/thaidict.dict',
      'nfkc.nrm',
    ])
      assert.ok(isKept(item(name, 1e6)), name);
  });

  it('is names in English and Spanish', () => {
    for (const tree of ['lang', 'region', 'unit', 'zone', 'rbnf']) {
      for (const name of ['root', 'pool', 'res_index', 'en', 'en_001', 'es', 'es_419'])
        assert.ok(isKept(item(`${tree}/${name}.res`)), `${tree}/${name}`);
      for (const name of ['de', 'et', 'enx', 'eo', 'sr_Latn', 'pt_PT'])
        assert.ok(!isKept(item(`${tree}/${name}.res`)), `${tree}/${name}`);
    }
    assert.ok(isKept(item('rbnf/zh_Hant.res')) && isKept(item('rbnf/ja.res')) && !isKept(item('lang/ja.res')));
  });

  it('is no transliteration, no names of characters, and the encodings of the Web', () => {
    for (const name of ['translit/root.res', 'unames.icu', 'icu-internal-25546.cnv', 'euc-tw-2014.cnv'])
      assert.ok(!isKept(item(name, 100_000)), name);
    for (const name of ['gb18030-2022.cnv', 'ibm-943_P15A-2003.cnv', 'cnvalias.icu'])
      assert.ok(isKept(item(name, 100_000)), name);
    assert.ok(isKept(item('ibm-5348_P100-1997.cnv', 1000)));
  });
});
