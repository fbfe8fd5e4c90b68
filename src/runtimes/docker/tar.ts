/** Writes tar archives, POSIX ustar (https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html), the same input always as the same bytes. */

const BLOCK = 512;

export interface TarEntry {
  /** Without a leading slash; at most 100 bytes. */
  path: string;
  mode: number;
  uid: number;
  gid: number;
  /** Bytes of the content; a folder has none. */
  size: number;
  isFolder: boolean;
}

/** The 512 bytes before the content. */
export function tarHeader({ path, mode, uid, gid, size, isFolder }: TarEntry): Buffer {
  const name = isFolder ? `${path}/` : path;
  if (Buffer.byteLength(name) > 100) throw new Error(`${name}: a path in an image has at most 100 bytes`);
  const header = Buffer.alloc(BLOCK);
  const octal = (value: number, length: number) => `${value.toString(8).padStart(length - 1, '0')}\0`;
  header.write(name, 0);
  header.write(octal(mode, 8), 100);
  header.write(octal(uid, 8), 108);
  header.write(octal(gid, 8), 116);
  header.write(octal(size, 12), 124);
  // No time: the same content is the same layer.
  header.write(octal(0, 12), 136);
  header.write('        ', 148);
  header.write(isFolder ? '5' : '0', 156);
  header.write('ustar\x0000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}

/** The zeros after a content of this size. */
export function tarPadding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
}

/** What an archive ends with. */
export const TAR_END = Buffer.alloc(2 * BLOCK);
