import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { BASE, DATA_AT, type Entry, icuData, loadedBytes, programWith } from '../../../test/support/small-program.ts';
import { ICU_SYMBOL } from './icu.ts';
import { type Program, programOf } from './program.ts';

const DATA = icuData({
  'de.res': Buffer.alloc(9_600, 'a'),
  'lang/de.res': Buffer.alloc(20_000, 'b'),
  'lang/en.res': Buffer.alloc(4_800, 'c'),
  'zone/zu.res': Buffer.alloc(16, 'd'),
});

describe('a program of an image', () => {
  const folder = mkdtempSync(join(tmpdir(), 'phoenix-program-'));
  after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'program');

  function of(file: Buffer): (Program & { bytes: Buffer }) | undefined {
    writeFileSync(path, file);
    const program = programOf(path);
    if (!program) return undefined;
    const pieces = program.pieces.map((piece) =>
      Buffer.isBuffer(piece) ? piece : file.subarray(piece.start, piece.end),
    );
    const bytes = Buffer.concat(pieces);
    assert.equal(bytes.length, program.size);
    return { ...program, bytes };
  }

  it("has less of ICU's data, and all else at the address where it was", () => {
    const file = programWith(DATA, ICU_SYMBOL);
    const program = of(file);
    assert.ok(program?.hasIcuSubset);
    // 20,016 bytes of data fewer are four pages of 4,096.
    const before = loadedBytes(file);
    const now = loadedBytes(program.bytes);
    assert.equal(before.size - now.size, 4 * 4096);
    const [start, end] = [BASE + DATA_AT, BASE + DATA_AT + DATA.length];
    for (const [address, byte] of before) if (address < start || address >= end) assert.equal(now.get(address), byte);
    const smaller = icuData({ 'de.res': Buffer.alloc(9_600, 'a'), 'lang/en.res': Buffer.alloc(4_800, 'c') });
    const found = Buffer.from(Array.from(smaller, (_, n) => now.get(start + n) ?? 0));
    assert.ok(found.equals(smaller));
    assert.equal(program.bytes.indexOf('b'.repeat(16)), -1, 'what was left out is there');
    assert.equal(program.bytes.readBigUInt64LE(40), 0n, 'there is a table of sections');
  });

  it('has segments in the order of their addresses, each at an offset that can be mapped', () => {
    const bytes = of(programWith(DATA, ICU_SYMBOL))?.bytes ?? Buffer.of();
    const entries = Array.from({ length: bytes.readUInt16LE(56) }, (_, n) => 64 + n * 56);
    assert.deepEqual(
      entries.map((at) => bytes.readUInt32LE(at)),
      [1, 1, 1, 1],
    );
    const addresses = entries.map((at) => Number(bytes.readBigUInt64LE(at + 16)));
    assert.deepEqual(
      addresses,
      addresses.toSorted((one, other) => one - other),
    );
    for (const [n, at] of entries.entries())
      assert.equal(Number(bytes.readBigUInt64LE(at + 8)) % 4096, (addresses[n] ?? 0) % 4096);
  });

  it('is what it was, without symbols, where that is not known to be right', () => {
    const withEntries = (change: (entries: Entry[]) => Entry[]) => programWith(DATA, ICU_SYMBOL, change);
    const patched = (at: number, value: number) => {
      const file = programWith(DATA, ICU_SYMBOL);
      file.writeUInt16LE(value, at);
      return file;
    };
    const ways: Record<string, Buffer> = {
      'no such data': programWith(DATA, 'icudt77_dat'),
      'data of another format': programWith(Buffer.alloc(DATA.length, 'x'), ICU_SYMBOL),
      'data with nothing to leave out': programWith(icuData({ 'de.res': Buffer.alloc(40_000) }), ICU_SYMBOL),
      'less than a page to leave out': programWith(
        icuData({ 'a.res': Buffer.alloc(9_600), 'lang/de.res': Buffer.alloc(1024) }),
        ICU_SYMBOL,
      ),
      'an address that is chosen at the start': patched(16, 3),
      'another processor': patched(18, 183),
      'segments that no page is the measure of': patched(64 + 2 * 56 + 48, 16),
      'no sections': patched(60, 0),
      'sections of another size': patched(58, 40),
      'no notes': withEntries((all) => all.filter(([type]) => type !== 4)),
      'two kinds of notes': withEntries((all) => [...all, [4, 4, 1000, BASE + 1000, 24]]),
      'data that can be written': withEntries((all) => all.map((one) => one.with(1, 6) as Entry)),
      'another view of the data': withEntries((all) => [...all, [7, 4, DATA_AT + 20_000, BASE + DATA_AT + 20_000, 8]]),
    };
    for (const [way, file] of Object.entries(ways)) {
      const program = of(file);
      assert.equal(program?.hasIcuSubset, false, way);
      assert.ok(program.size < file.length, way);
      assert.ok(program.bytes.subarray(64).equals(file.subarray(64, program.size)), way);
    }
  });

  it('is a file like any other when it is none', () => {
    const file = programWith(DATA, ICU_SYMBOL);
    for (const bytes of [Buffer.of(), Buffer.from('#!/bin/sh\n'), file.subarray(0, 70), file.subarray(0, 5000)])
      assert.equal(of(bytes), undefined);
  });

  it('never fails, whatever its headers say', () => {
    const file = programWith(DATA, ICU_SYMBOL);
    const sectionsAt = file.length - 3 * 64;
    const anywhere = fc.oneof(
      fc.nat(64 + 4 * 56),
      fc.nat(3 * 64 - 1).map((at) => sectionsAt + at),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(anywhere, fc.nat(255)), { minLength: 1, maxLength: 4 }), (changes) => {
        const copy = Buffer.from(file);
        for (const [at, byte] of changes) copy[at] = byte;
        of(copy);
      }),
      { numRuns: 300 },
    );
  });
});
