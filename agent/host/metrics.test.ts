/** Load, memory and traffic of this host, as the wire takes them. */

import { describe, expect, test } from "bun:test";
import { totalmem } from "node:os";
import { hostMetricsSchema } from "#shared/protocol/scanner.ts";
import { hostMetrics, parseNetDev } from "./metrics.ts";

const HEADER = [
  "Inter-|   Receive                                                |  Transmit",
  " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed",
].join("\n");

describe("parseNetDev", () => {
  test("sums every interface but loopback", () => {
    const text = `${HEADER}
    lo: 3214245   24088    0    0    0     0          0         0  3214245   24088    0    0    0     0       0          0
  eth0: 1000   6346    0    0    0     0          0         0        20    10    0    0    0     0       0          0
 wlan0: 1       2      3    4    5     6          7         8        300   10   11   12   13    14      15         16
`;
    expect(parseNetDev(text)).toEqual({ rxBytes: 1_001, txBytes: 320 });
  });

  test("reads a counter that leaves no blank after the name, beyond 32 bits", () => {
    const line = "eth0:18446744073709 1 0 0 0 0 0 0 9007199254740 1 0 0 0 0 0 0";
    expect(parseNetDev(`${HEADER}\n${line}\n`)).toEqual({
      rxBytes: 18_446_744_073_709,
      txBytes: 9_007_199_254_740,
    });
  });

  test("a host without interfaces has no traffic", () => {
    expect(parseNetDev(`${HEADER}\n`)).toEqual({ rxBytes: 0, txBytes: 0 });
    expect(parseNetDev("")).toEqual({ rxBytes: 0, txBytes: 0 });
  });
});

test("hostMetrics fits the wire, and agrees with the host on its memory", async () => {
  const metrics = hostMetricsSchema.parse(await hostMetrics());
  expect(metrics.memoryTotalBytes).toBe(totalmem());
  expect(metrics.memoryAvailableBytes).toBeWithin(1, metrics.memoryTotalBytes + 1);
  expect(metrics.numCpus).toBeGreaterThanOrEqual(1);
});
