import { open } from 'node:fs/promises';

const CHUNK = 64 * 1024;

/** The last lines of a file, oldest first; none when there is no file. Reads only its end. */
export async function lastLines(path: string, count: number): Promise<string[]> {
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(path, 'r');
  } catch {
    return [];
  }
  try {
    let at = (await file.stat()).size;
    let text = Buffer.alloc(0);
    while (at > 0 && text.reduce((lines, byte) => lines + Number(byte === 10), 0) <= count) {
      const length = Math.min(CHUNK, at);
      at -= length;
      const chunk = Buffer.alloc(length);
      await file.read(chunk, 0, length, at);
      text = Buffer.concat([chunk, text]);
    }
    return text
      .toString('utf8')
      .split('\n')
      .filter((line) => line !== '')
      .slice(-count);
  } finally {
    await file.close();
  }
}
