import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { cutPages, type Elf, findObject, type Range, type Read, readElf, withoutSections } from './elf.ts';
import { ICU_SYMBOL, icuSubset } from './icu.ts';

/** A program as images have it. */
export interface Program {
  /** Bytes. */
  size: number;
  /** What it is made of, in this order: bytes, or where the file has them. */
  pieces: (Buffer | Range)[];
  /** Whether some of the data for languages is left out. */
  hasIcuSubset: boolean;
}

/**
 * A program without what nothing needs that runs: symbols and debugging information, of Node a seventh, and a half of ICU's data. What is
 * not known to be right for a program is not left out.
 *
 * @returns undefined for a file that is no 64-bit ELF program
 */
export function programOf(path: string): Program | undefined {
  const file = openSync(path, 'r');
  try {
    const fileBytes = fstatSync(file).size;
    const read: Read = (length, position) => {
      if (position + length > fileBytes) return undefined;
      const bytes = Buffer.alloc(length);
      return readSync(file, bytes, 0, length, position) === length ? bytes : undefined;
    };
    const elf = readElf(read);
    return elf && (withIcuSubset(read, elf) ?? loadedPart(elf));
  } finally {
    closeSync(file);
  }
}

/** What the kernel and the dynamic loader read of a program: its segments. */
function loadedPart({ header, size }: Elf): Program {
  const rest = { start: header.length, end: size };
  return { size, pieces: [withoutSections(header), rest], hasIcuSubset: false };
}

/** The smaller data stands where the whole stood; the pages behind it that are no longer used are taken out. */
function withIcuSubset(read: Read, elf: Elf): Program | undefined {
  const whole = findObject(read, elf, ICU_SYMBOL);
  const subset = whole && icuSubset(read, whole);
  const cut = subset && cutPages(elf, { start: whole.start + subset.size, end: whole.end });
  const tableEnd = elf.tableAt + elf.table.length;
  if (!cut || elf.tableAt < elf.header.length || tableEnd > whole.start) return undefined;
  const pieces = [
    withoutSections(elf.header),
    { start: elf.header.length, end: elf.tableAt },
    cut.table,
    { start: tableEnd, end: whole.start },
    subset.head,
    ...subset.kept,
    Buffer.alloc(cut.hole.start - whole.start - subset.size),
    { start: cut.hole.end, end: elf.size },
  ];
  return { size: elf.size - (cut.hole.end - cut.hole.start), pieces, hasIcuSubset: true };
}
