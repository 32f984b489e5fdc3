/** Memory of the compiled agent does not grow much with the number of targets, also where no two of them lie together. */

import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { writeScattered } from "../lab/scattered.ts";
import { E2E_TIMEOUT_MS } from "../testing/timeouts.ts";
import { scanCommand, temporaryFolder } from "./agent-scan.ts";

setDefaultTimeout(E2E_TIMEOUT_MS);

const LIMIT_MIB = 150;

interface Listing {
  readonly lines: number;
  /** The most memory that was resident, by the kernel's own mark. */
  readonly peakMib: number;
}

/** Looks at the program with everything that it writes: it is there as long as something is left to be read. */
async function list(words: string): Promise<Listing> {
  const child = Bun.spawn([...scanCommand(words), "--dry-run"], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  let lines = 0;
  let peakKib = 0;
  for await (const chunk of child.stdout) {
    for (const byte of chunk) if (byte === 0x0a) lines++;
    peakKib = Math.max(peakKib, peakKibOf(child.pid));
  }
  expect(await child.exited).toBe(0);
  return { lines, peakMib: peakKib / 1_024 };
}

/** 0 when it has ended. */
function peakKibOf(pid: number): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

test.each([
  { v4: 300_000, v6: 0 },
  { v4: 300_000, v6: 30_000 },
])("$v4 scattered addresses of IPv4 and $v6 of IPv6", async ({ v4, v6 }) => {
  using folder = temporaryFolder();
  const path = join(folder.path, "targets");
  writeScattered(path, v4, v6);
  const { lines, peakMib } = await list(`--targets-file ${path} -p 80,443`);
  expect(lines).toBe(2 * (v4 + v6));
  expect(peakMib).toBeGreaterThan(10);
  expect(peakMib).toBeLessThanOrEqual(LIMIT_MIB);
});
