/** Lists of addresses that do not lie together: no two are neighbours, so nothing can be joined, and none is in order. */

import { openSync, closeSync, writeSync } from "node:fs";

/** Even addresses of 10.0.0.0/8, and networks of fd00:99::/32. */
const PLACES = 2 ** 23;
/** Odd, so that it visits every place once. */
const STRIDE = 5_000_011;
const LINES_PER_WRITE = 4_096;

/** Writes so many addresses of each family to a new file, the families mixed, a line each. At most 8 million of each. */
export function writeScattered(path: string, v4Count: number, v6Count: number): void {
  const file = openSync(path, "wx");
  try {
    let lines = "";
    for (let i = 0; i < Math.max(v4Count, v6Count); i++) {
      const place = (i * STRIDE) % PLACES;
      if (i < v4Count) lines += `10.${place >>> 15}.${(place >>> 7) & 255}.${(place * 2) & 255}\n`;
      if (i < v6Count)
        lines += `fd00:99:${(place >>> 16).toString(16)}:${(place & 0xffff).toString(16)}::7:1\n`;
      if (i % LINES_PER_WRITE !== LINES_PER_WRITE - 1) continue;
      writeSync(file, lines);
      lines = "";
    }
    writeSync(file, lines);
  } finally {
    closeSync(file);
  }
}
