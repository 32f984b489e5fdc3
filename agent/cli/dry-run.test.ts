/** That a long listing can be stopped. What it lists is tested in `program.test.ts`. */

import { expect, test } from "bun:test";
import { parseTargets } from "#shared/net/target-spec.ts";
import { dryRun } from "./dry-run.ts";
import { EXIT_INTERRUPTED } from "./exit-codes.ts";
import type { OutputSink } from "./output-sink.ts";
import type { ScanFlags } from "./scan-flags.ts";
import { scanRequest, scanScope } from "./scan-options.ts";

/** More chunks than the event loop needs to bring a signal; far fewer than the listing has. */
const MAX_CHUNKS = 100;

const flags: ScanFlags = { ports: "80", seed: "1" };
const request = scanRequest(
  scanScope(parseTargets(["10.0.0.0/8"]), flags),
  {},
  {
    resume: undefined,
    capturePath: undefined,
  },
);

/** Takes everything at once, as a file does, so that nothing ever waits. */
function countingSink(): OutputSink & { chunks: number } {
  return {
    chunks: 0,
    async write() {
      this.chunks++;
      return this.chunks < MAX_CHUNKS;
    },
    close: async () => undefined,
  };
}

test("ends when it is interrupted, though its sink never waits", async () => {
  const controller = new AbortController();
  const sink = countingSink();
  setImmediate(() => controller.abort());
  expect(await dryRun(request, "text", sink, controller.signal)).toBe(EXIT_INTERRUPTED);
  expect(sink.chunks).toBeLessThan(MAX_CHUNKS);
});

test("ends well when its reader has read enough", async () => {
  const sink = countingSink();
  expect(await dryRun(request, "binary", sink, new AbortController().signal)).toBe(0);
  expect(sink.chunks).toBe(MAX_CHUNKS);
});
