import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** System V ABI, ELF-64: https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html */
const HEADER_BYTES = 64;
const ENTRY_BYTES = 56;
const MAGIC_64_BIT_LITTLE_ENDIAN = Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1]);

/** A program without what is for debuggers and linkers alone. */
export interface LoadedPart {
  /** The first bytes, instead of those of the file. */
  header: Buffer;
  /** Bytes of the program, header included; those behind the header are the file's. */
  size: number;
}

/**
 * What the kernel and the dynamic loader read of a program: its segments. Symbols, debugging information and the table of sections come
 * behind them; of Node they are a seventh.
 *
 * @returns undefined for a file that is no 64-bit ELF program
 */
export function loadedPart(path: string): LoadedPart | undefined {
  const file = openSync(path, 'r');
  try {
    const read = (length: number, position: number) => {
      const bytes = Buffer.alloc(length);
      return readSync(file, bytes, 0, length, position) === length ? bytes : undefined;
    };
    const header = read(HEADER_BYTES, 0);
    if (!header?.subarray(0, MAGIC_64_BIT_LITTLE_ENDIAN.length).equals(MAGIC_64_BIT_LITTLE_ENDIAN)) return undefined;
    const [entrySize, entries] = [header.readUInt16LE(54), header.readUInt16LE(56)];
    if (entrySize !== ENTRY_BYTES) return undefined;
    const tableAt = Number(header.readBigUInt64LE(32));
    const table = read(entrySize * entries, tableAt);
    if (table === undefined || entries === 0) return undefined;
    let size = tableAt + table.length;
    for (let at = 0; at < table.length; at += entrySize) {
      const end = table.readBigUInt64LE(at + 8) + table.readBigUInt64LE(at + 32);
      size = Math.max(size, Number(end));
    }
    if (size > fstatSync(file).size) return undefined;
    // There is no table of sections: its place, the number and size of its entries, and the index of their names.
    header.fill(0, 40, 48).fill(0, 58, 64);
    return { header, size };
  } finally {
    closeSync(file);
  }
}
