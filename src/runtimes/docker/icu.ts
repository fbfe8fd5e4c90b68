import type { Range, Read } from './elf.ts';

/**
 * The symbol of ICU's data in Node. What is left out below was tried with this version of it (`test/node-of-images.test.ts`): another one stays whole.
 */
export const ICU_SYMBOL = 'icudt78_dat';
const PREFIX = 'icudt78l/';
/** Items start at multiples of it. */
const ALIGN = 16;
const ENTRY_BYTES = 8;
/** Larger than any list of items that is one. */
const MAX_ITEMS = 100_000;

/** One of the files that ICU's data is put together of. */
export interface IcuItem extends Range {
  /** `lang/de.res` for example. */
  name: string;
}

/** ICU's data without some of its items. */
export interface IcuSubset {
  /** What comes first, instead of the list of all. */
  head: Buffer;
  /** Where the file has the items, in the order in which they follow. */
  kept: Range[];
  size: number;
}

/** Names of languages, regions, units and time zones, and the spelling of numbers: a file for each locale. */
const NAMES = /^(lang|region|unit|zone|rbnf)\//;
/**
 * English, Spanish, what all locales share, and the spelling of numbers that dates in Chinese and Japanese calendars have.
 */
const KEPT_NAMES = /^\w+\/(root|pool|res_index|tzdbNames|en|es)[._]|^rbnf\/(ja|zh)[._]/;
/** Nothing in Node can reach them: transliteration is not compiled in, and names of characters are no property in JavaScript. */
const UNREACHABLE = /^(translit\/.*|unames\.icu)$/;
/** Tables of the encodings with more than one byte in https://encoding.spec.whatwg.org: Big5, EUC-JP, GB 18030, GBK, Shift_JIS, EUC-KR. */
const ENCODINGS = [
  'ibm-1373_P100-2002',
  'euc-jp-2007',
  'gb18030-2022',
  'ibm-1386_P100-2001',
  'ibm-943_P15A-2003',
  'ibm-970_P110_P110-2006_U2',
].map((name) => `${name}.cnv`);
/** Single bytes, and what is a difference to another table, take less: too little to look at each of them. */
const LARGE_ENCODING_BYTES = 16_384;

/** Whether images have an item: numbers, dates, money, plurals, sorting and segmentation of all locales are complete. */
export function isKept({ name, start, end }: IcuItem): boolean {
  if (NAMES.test(name)) return KEPT_NAMES.test(name);
  if (name.endsWith('.cnv')) return end - start < LARGE_ENCODING_BYTES || ENCODINGS.includes(name);
  return !UNREACHABLE.test(name);
}

/**
 * The items of ICU's data: a header, the number of items, the offsets of their names and contents, the names, the contents, sorted by name
 * (`UDataOffsetTOC` in https://github.com/unicode-org/icu/blob/main/icu4c/source/common/ucmndata.h).
 *
 * @param at where the file has it
 * @returns undefined when it is not as expected
 */
export function icuItems(read: Read, at: Range): IcuItem[] | undefined {
  return readToc(read, at)?.items;
}

/** @returns undefined when ICU's data is not as expected */
export function icuSubset(read: Read, at: Range, isWanted = isKept): IcuSubset | undefined {
  const toc = readToc(read, at);
  if (toc === undefined) return undefined;
  const wanted = toc.items.filter(isWanted);
  const names = Buffer.from(wanted.map(({ name }) => `${PREFIX}${name}\0`).join(''));
  const namesAt = 4 + wanted.length * ENTRY_BYTES;
  const list = Buffer.alloc(Math.ceil((namesAt + names.length) / ALIGN) * ALIGN);
  names.copy(list, namesAt);
  list.writeUInt32LE(wanted.length);
  let [nameAt, contentAt] = [namesAt, list.length];
  const kept: Range[] = [];
  for (const [index, { name, start, end }] of wanted.entries()) {
    list.writeUInt32LE(nameAt, 4 + index * ENTRY_BYTES);
    list.writeUInt32LE(contentAt, 8 + index * ENTRY_BYTES);
    nameAt += PREFIX.length + name.length + 1;
    contentAt += end - start;
    const last = kept.at(-1);
    if (last?.end === start) last.end = end;
    else kept.push({ start, end });
  }
  return { head: Buffer.concat([toc.header, list]), kept, size: toc.header.length + contentAt };
}

function readToc(read: Read, { start, end }: Range): { header: Buffer; items: IcuItem[] } | undefined {
  const fixed = read(20, start);
  // Its length, the magic numbers, little endian, ASCII, UTF-16, the kind and the version of the format.
  const headerBytes = fixed?.readUInt16LE(0) ?? 0;
  if (headerBytes % ALIGN !== 0 || fixed?.toString('hex', 2, 4) !== 'da27') return undefined;
  if (fixed.toString('hex', 8, 11) !== '000002' || fixed.toString('latin1', 12, 17) !== 'CmnD\x01') return undefined;
  const header = read(headerBytes, start);
  const count = read(4, start + headerBytes)?.readUInt32LE() ?? 0;
  if (header === undefined || count === 0 || count > MAX_ITEMS) return undefined;
  const base = start + headerBytes;
  const entries = read(count * ENTRY_BYTES, base + 4);
  const contentsAt = entries?.readUInt32LE(4) ?? 0;
  if (entries === undefined || base + contentsAt > end) return undefined;
  const list = read(contentsAt, base);
  const items: IcuItem[] = [];
  for (let at = 0; at < entries.length; at += ENTRY_BYTES) {
    const [nameAt, contentAt] = [entries.readUInt32LE(at), entries.readUInt32LE(at + 4)];
    const nextAt = at + ENTRY_BYTES < entries.length ? entries.readUInt32LE(at + ENTRY_BYTES + 4) : end - base;
    const name = list?.toString('latin1', nameAt, list.indexOf(0, nameAt)) ?? '';
    const previous = items.at(-1)?.name ?? '';
    if (contentAt % ALIGN !== 0 || nextAt <= contentAt || base + nextAt > end) return undefined;
    if (!name.startsWith(PREFIX) || name.slice(PREFIX.length) <= previous) return undefined;
    items.push({ name: name.slice(PREFIX.length), start: base + contentAt, end: base + nextAt });
  }
  return { header, items };
}
