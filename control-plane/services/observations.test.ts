import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { formatAddressBytes } from "#shared/net/address-bytes.ts";
import { type PortResult, portResultSchema } from "#shared/protocol/job.ts";
import { observationsOf, readUsualResults } from "./observations.ts";

const usual: PortResult = {
  address: "10.0.0.1",
  port: 80,
  protocol: "tcp",
  state: "open",
  reason: "syn-ack",
  observedAt: "2026-01-27T10:30:00.123Z",
};

/** Values as they are sent, as they might be, and as they must not be. */
const fields = {
  address: fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.constantFrom("2001:DB8::0:1", "10.0.0.256", "010.0.0.1", "", "::ffff:192.0.2.1"),
  ),
  port: fc.oneof(fc.nat(65_535), fc.constantFrom<unknown>(65_536, -1, 1.5, "80", null)),
  protocol: fc.constantFrom<unknown>("tcp", "udp", "TCP", "sctp", 6),
  state: fc.constantFrom<unknown>("open", "closed", "filtered", "open|filtered", true),
  reason: fc.constantFrom<unknown>("syn-ack", "reset", "", "x".repeat(64), "x".repeat(65), 3),
  ttl: fc.constantFrom<unknown>(undefined, 0, 255, 256, -1, "64", null),
  service: fc.constantFrom<unknown>(undefined, "", "ssh", "a\0b", "\uD800", "x".repeat(256), null),
  product: fc.constantFrom<unknown>(undefined, "OpenSSH", 7),
  version: fc.constantFrom<unknown>(undefined, "9.2"),
  cpe: fc.constantFrom<unknown>(undefined, "cpe:/a:x"),
  banner: fc.constantFrom<unknown>(undefined, "SSH-2.0", "\u0001".repeat(4_096), "x".repeat(4_097), {}),
  macAddress: fc.constantFrom<unknown>(undefined, "02:00:00:00:00:01", "x".repeat(33)),
  macVendor: fc.constantFrom<unknown>(undefined, "Example"),
  observedAt: fc.oneof(
    fc
      .date({ min: new Date(0), max: new Date("2100-01-01"), noInvalidDate: true })
      .map((date) => date.toISOString()),
    fc.constantFrom<unknown>(
      "2026-01-27T10:30:00Z",
      "2026-01-27T10:30:00.123456789Z",
      "2026-02-30T10:30:00.000Z",
      "2026-01-27T24:30:00.000Z",
      "2026-01-27 10:30:00.000Z",
      "2026-01-27T10:30:00.000+01:00",
      "20x6-01-27T10:30:00.000Z",
      "",
      1_769_508_000_000,
    ),
  ),
};

/** A usual result with one field, or several, of any of these values. */
const result = fc
  .tuple(fc.record(fields), fc.subarray(Object.keys(fields), { maxLength: 3 }))
  .map(([values, changed]) => {
    const others = Object.entries(values).filter(([field]) => changed.includes(field));
    return Object.assign({}, usual, Object.fromEntries(others));
  });

describe("reading results by hand", () => {
  test("never takes what the schema refuses, and reads what it takes alike", () => {
    let taken = 0;
    fc.assert(
      fc.property(result, (sent) => {
        // As it arrives.
        const received: unknown = JSON.parse(JSON.stringify(sent));
        const read = readUsualResults([received]);
        if (read === undefined) return;
        taken++;
        expect(read).toEqual(observationsOf([portResultSchema.parse(received)]));
      }),
      { numRuns: 3_000 },
    );
    expect(taken).toBeGreaterThan(100);
  });

  test("takes what agents send", () => {
    for (const sent of [
      usual,
      { ...usual, ttl: 64, address: "2001:db8::1" },
      { ...usual, protocol: "udp", state: "filtered", reason: "no-response" },
      { ...usual, service: "ssh", product: "OpenSSH", version: "9.2", cpe: "cpe:/a:x", banner: "SSH-2.0" },
      { ...usual, macAddress: "02:00:00:00:00:01", macVendor: "Example" },
    ]) {
      expect(readUsualResults([sent])).toHaveLength(1);
    }
  });

  test("leaves everything else to the schema", () => {
    for (const sent of [undefined, null, [], "text", 7, [usual], { ...usual, port: "80" }]) {
      expect(readUsualResults([usual, sent])).toBeUndefined();
    }
  });

  test("writes what no database can hold as something else", () => {
    const [read] = readUsualResults([{ ...usual, banner: "a\0b" }]) ?? [];
    expect(read?.details?.banner).toBe("a\uFFFDb");
    expect(formatAddressBytes(read?.address ?? new Uint8Array(0))).toBe("10.0.0.1");
  });
});
