/** System V ABI, ELF-64: https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html */
const HEADER_BYTES = 64;
const ENTRY_BYTES = 56;
const SECTION_BYTES = 64;
const SYMBOL_BYTES = 24;
const MAGIC_64_BIT_LITTLE_ENDIAN = Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1]);
const ET_EXEC = 2;
const EM_X86_64 = 62;
const PT_LOAD = 1;
const PT_NOTE = 4;
const PF_R = 4;
const SHT_DYNSYM = 11;
/** Of x86-64. */
const PAGE = 4096;

/** Reads a part of a file. @returns undefined where the file has less */
export type Read = (length: number, position: number) => Buffer | undefined;

/** The header of a program and its table of segments. */
export interface Elf {
  header: Buffer;
  table: Buffer;
  tableAt: number;
  /** Where the last segment ends in the file: behind it come symbols, debugging information and the table of sections. */
  size: number;
}

/** A part of the file: offsets. */
export interface Range {
  start: number;
  /** That of the first byte behind it. */
  end: number;
}

interface Segment {
  type: number;
  flags: number;
  offset: number;
  address: number;
  fileBytes: number;
  memoryBytes: number;
  align: number;
}

/** @returns undefined for a file that is no 64-bit ELF program */
export function readElf(read: Read): Elf | undefined {
  const header = read(HEADER_BYTES, 0);
  if (!header?.subarray(0, MAGIC_64_BIT_LITTLE_ENDIAN.length).equals(MAGIC_64_BIT_LITTLE_ENDIAN)) return undefined;
  const [entrySize, entries] = [header.readUInt16LE(54), header.readUInt16LE(56)];
  if (entrySize !== ENTRY_BYTES || entries === 0) return undefined;
  const tableAt = Number(header.readBigUInt64LE(32));
  const table = read(entrySize * entries, tableAt);
  if (table === undefined) return undefined;
  const ends = segmentsOf(table).map(({ offset, fileBytes }) => offset + fileBytes);
  const size = Math.max(tableAt + table.length, ...ends);
  return read(1, size - 1) && { header, table, tableAt, size };
}

/** The header of a program that has no table of sections: no place, number and size of entries, no index of their names. */
export function withoutSections(header: Buffer): Buffer {
  return Buffer.from(header).fill(0, 40, 48).fill(0, 58, 64);
}

/** Where the file has the content of an object, by the name under which it is exported. */
export function findObject(read: Read, { header, table }: Elf, name: string): Range | undefined {
  const [sectionSize, sections] = [header.readUInt16LE(58), header.readUInt16LE(60)];
  const all = read(sectionSize * sections, Number(header.readBigUInt64LE(40)));
  if (all === undefined || sectionSize !== SECTION_BYTES) return undefined;
  const content = (at: number) => read(Number(all.readBigUInt64LE(at + 32)), Number(all.readBigUInt64LE(at + 24)));
  for (let at = 0; at < all.length; at += SECTION_BYTES) {
    if (all.readUInt32LE(at + 4) !== SHT_DYNSYM) continue;
    const names = all.readUInt32LE(at + 40) < sections ? content(all.readUInt32LE(at + 40) * SECTION_BYTES) : undefined;
    const symbols = content(at);
    const nameAt = (names?.indexOf(`\0${name}\0`) ?? -1) + 1;
    if (symbols === undefined || nameAt === 0) return undefined;
    for (let symbol = 0; symbol + SYMBOL_BYTES <= symbols.length; symbol += SYMBOL_BYTES) {
      if (symbols.readUInt32LE(symbol) !== nameAt) continue;
      const [address, size] = [symbol + 8, symbol + 16].map((field) => Number(symbols.readBigUInt64LE(field)));
      return fileRange(table, address ?? 0, size ?? 0);
    }
  }
  return undefined;
}

function fileRange(table: Buffer, address: number, size: number): Range | undefined {
  const within = segmentsOf(table).find(
    (one) =>
      one.type === PT_LOAD && one.address <= address && address + size <= one.address + one.fileBytes && size > 0,
  );
  if (within === undefined) return undefined;
  const start = address - within.address + within.offset;
  return { start, end: start + size };
}

/**
 * Takes whole pages out of the file, which then are not mapped either: everything else keeps its address. The read-only segment that has
 * them becomes two; its second half gets the entry of the notes (build id, oldest kernel), so that the table keeps its size and place.
 *
 * @param hole what may be taken out: the whole pages within it are
 * @returns the new table, and what to leave out of the file; undefined for a program of which this is not known to be right
 */
export function cutPages({ header, table }: Elf, hole: Range): { table: Buffer; hole: Range } | undefined {
  if (header.readUInt16LE(16) !== ET_EXEC || header.readUInt16LE(18) !== EM_X86_64) return undefined;
  const segments = segmentsOf(table);
  const cut = segments.find(
    ({ type, flags, offset, fileBytes, memoryBytes }) =>
      type === PT_LOAD &&
      flags === PF_R &&
      offset < hole.start &&
      hole.end < offset + fileBytes &&
      fileBytes === memoryBytes,
  );
  if (cut === undefined || cut.align < PAGE || segments.filter(({ type }) => type === PT_NOTE).length !== 1)
    return undefined;
  const start = Math.ceil(hole.start / cut.align) * cut.align;
  const end = Math.floor(hole.end / cut.align) * cut.align;
  // No other segment may show a part of it, and those behind it have to stay at offsets that can be mapped.
  const isClear = ({ offset, fileBytes }: Segment) => offset + fileBytes <= start || offset >= end;
  if (end <= start || !segments.every((one) => one === cut || isClear(one))) return undefined;
  if (segments.some(({ offset, align }) => offset >= end && align > 0 && (end - start) % align !== 0)) return undefined;
  const moved = segments.flatMap((one): Segment[] => {
    if (one.type === PT_NOTE) return [];
    if (one !== cut) return [one.offset >= end ? { ...one, offset: one.offset - (end - start) } : one];
    const [before, after] = [start - one.offset, one.offset + one.fileBytes - end];
    return [
      { ...one, fileBytes: before, memoryBytes: before },
      { ...one, offset: start, address: one.address + end - one.offset, fileBytes: after, memoryBytes: after },
    ];
  });
  return { table: tableOf(moved), hole: { start, end } };
}

function segmentsOf(table: Buffer): Segment[] {
  return Array.from({ length: table.length / ENTRY_BYTES }, (_, index) => {
    const at = index * ENTRY_BYTES;
    const long = (field: number) => Number(table.readBigUInt64LE(at + field));
    return {
      type: table.readUInt32LE(at),
      flags: table.readUInt32LE(at + 4),
      offset: long(8),
      address: long(16),
      fileBytes: long(32),
      memoryBytes: long(40),
      align: long(48),
    };
  });
}

/** The physical address, which nothing reads, is the virtual one. */
function tableOf(segments: readonly Segment[]): Buffer {
  const table = Buffer.alloc(segments.length * ENTRY_BYTES);
  for (const [index, { type, flags, offset, address, fileBytes, memoryBytes, align }] of segments.entries()) {
    const at = index * ENTRY_BYTES;
    table.writeUInt32LE(type, at);
    table.writeUInt32LE(flags, at + 4);
    for (const [field, value] of [offset, address, address, fileBytes, memoryBytes, align].entries())
      table.writeBigUInt64LE(BigInt(value), at + 8 + field * 8);
  }
  return table;
}
