/** ICU's data and a program that has them, as small as they can be; and how such files are read. */
import type { Read } from '../../src/runtimes/docker/elf.ts';

const PAGE = 4096;
export const PREFIX = 'icudt78l/';

/** ICU's data with these items. */
export function icuData(items: Record<string, Buffer>): Buffer {
  const header = Buffer.alloc(32);
  header.writeUInt16LE(header.length);
  Buffer.from('da271400000000000200436d6e4401', 'hex').copy(header, 2);
  const names = Object.keys(items);
  const list = Buffer.alloc(4 + names.length * 8);
  list.writeUInt32LE(names.length);
  const text = Buffer.from(names.map((name) => `${PREFIX}${name}\0`).join(''));
  const space = Buffer.alloc(-(list.length + text.length) & 15);
  let nameAt = list.length;
  let contentAt = list.length + text.length + space.length;
  const contents = names.map((name, index) => {
    const content = items[name] ?? Buffer.of();
    list.writeUInt32LE(nameAt, 4 + index * 8);
    list.writeUInt32LE(contentAt, 8 + index * 8);
    nameAt += PREFIX.length + name.length + 1;
    contentAt += content.length;
    return content;
  });
  return Buffer.concat([header, list, text, space, ...contents]);
}

/** Program headers: type, flags, offset, address, bytes; PT_LOAD 1, PT_NOTE 4, PT_TLS 7. */
export type Entry = [type: number, flags: number, offset: number, address: number, bytes: number];
export const BASE = 0x40_0000;
/** Where the data starts. */
export const DATA_AT = PAGE + 64;

/**
 * A program for x86-64: a page for the headers, one read-only segment with the data that ends with text, one that can be written, and behind
 * them the sections with the symbol of the data. It cannot be run.
 *
 * @param change of the segments, for one that is not as expected
 */
export function programWith(
  data: Buffer,
  symbol: string,
  change: (entries: Entry[]) => Entry[] = (same) => same,
): Buffer {
  const behind = Buffer.from('behind the data');
  const readOnlyBytes = 64 + data.length + behind.length;
  const writableAt = Math.ceil((PAGE + readOnlyBytes) / PAGE) * PAGE;
  const writable = Buffer.alloc(100, 'w');
  const entries = change([
    [1, 4, 0, BASE, 1024],
    [4, 4, 1000, BASE + 1000, 24],
    [1, 4, PAGE, BASE + PAGE, readOnlyBytes],
    [1, 6, writableAt, BASE + writableAt + PAGE, writable.length],
  ]);
  const names = Buffer.from(`\0other\0${symbol}\0`);
  const symbols = Buffer.alloc(48);
  symbols.writeUInt32LE(7, 24);
  symbols.writeBigUInt64LE(BigInt(BASE + DATA_AT), 32);
  symbols.writeBigUInt64LE(BigInt(data.length), 40);
  const namesAt = writableAt + writable.length;
  const sectionsAt = namesAt + names.length + symbols.length;
  const file = Buffer.alloc(sectionsAt + 3 * 64);
  for (const [at, bytes] of [
    [DATA_AT, data],
    [DATA_AT + data.length, behind],
    [writableAt, writable],
    [namesAt, names],
    [namesAt + names.length, symbols],
  ] as const)
    bytes.copy(file, at);
  Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]).copy(file);
  for (const [at, value] of [
    ...[[16, 2] as const, [18, 62] as const, [52, 64] as const],
    ...[[54, 56] as const, [56, entries.length] as const, [58, 64] as const, [60, 3] as const],
  ])
    file.writeUInt16LE(value, at);
  file.writeBigUInt64LE(64n, 32);
  file.writeBigUInt64LE(BigInt(sectionsAt), 40);
  for (const [index, [type, flags, offset, address, bytes]] of entries.entries()) {
    const at = 64 + index * 56;
    file.writeUInt32LE(type, at);
    file.writeUInt32LE(flags, at + 4);
    for (const [field, value] of [offset, address, address, bytes, bytes, PAGE].entries())
      file.writeBigUInt64LE(BigInt(value), at + 8 + field * 8);
  }
  // Sections: none, the symbols (SHT_DYNSYM, 11) with the section of their names, the names (SHT_STRTAB, 3).
  for (const [index, type, at, size, link] of [
    [1, 11, namesAt + names.length, symbols.length, 2],
    [2, 3, namesAt, names.length, 0],
  ] as const) {
    const section = sectionsAt + index * 64;
    file.writeUInt32LE(type, section + 4);
    file.writeBigUInt64LE(BigInt(at), section + 24);
    file.writeBigUInt64LE(BigInt(size), section + 32);
    file.writeUInt32LE(link, section + 40);
  }
  return file;
}

/** Reads a file that is in memory. */
export const reading =
  (file: Buffer): Read =>
  (length, position) =>
    position + length <= file.length ? file.subarray(position, position + length) : undefined;

/** The segments of a program that are loaded: readelf -l. */
export function loaded(file: Buffer): { offset: number; address: number; size: number }[] {
  const entries = Array.from({ length: file.readUInt16LE(56) }, (_, index) => 64 + index * 56);
  return entries
    .filter((at) => file.readUInt32LE(at) === 1)
    .map((at) => {
      const [offset = 0, address = 0, size = 0] = [8, 16, 32].map((field) => Number(file.readBigUInt64LE(at + field)));
      return { offset, address, size };
    });
}

/** What a program has at each address: the memory of a process that just started, its headers aside. */
export function loadedBytes(file: Buffer): Map<number, number> {
  const memory = new Map<number, number>();
  for (const { offset, address, size } of loaded(file))
    if (offset > 0) for (let n = 0; n < size; n++) memory.set(address + n, file[offset + n] ?? -1);
  return memory;
}
