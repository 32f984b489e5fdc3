import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { parsePorts } from "#shared/net/port-spec.ts";
import { networkPortSpec, portListSpec } from "./network-ports.ts";

const port = fc.integer({ min: 1, max: 65_535 });
const token = fc.oneof(
  port.map(String),
  fc.tuple(port, port).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`),
);
const spec = fc
  .tuple(fc.array(token, { minLength: 1, maxLength: 8 }), fc.array(token, { maxLength: 3 }))
  .map(([wanted, not]) => [...wanted, ...not.map((text) => `!${text}`)].join(","))
  .filter((text) => parses(text));

function parses(text: string): boolean {
  try {
    parsePorts(text);
    return true;
  } catch {
    return false;
  }
}

test("a network's ports mean the same in each protocol that it names, and in no other", () => {
  fc.assert(
    fc.property(spec, fc.constantFrom("tcp", "udp", "both"), (text, protocol) => {
      const ports = parsePorts(text).tcp;
      expect(parsePorts(portListSpec(text, protocol, true))).toEqual({
        tcp: protocol === "udp" ? [] : ports,
        udp: protocol === "tcp" ? [] : ports,
      });
    }),
  );
});

test("a network's ports are shown as they were written", () => {
  fc.assert(
    fc.property(spec, fc.constantFrom("tcp", "udp", "both"), (text, protocol) => {
      expect(networkPortSpec(portListSpec(text, protocol, true), protocol)).toBe(text);
    }),
  );
});

test("a port list that says more than a network can is shown as it is", () => {
  expect(networkPortSpec("22,U:53", "both")).toBe("22,U:53");
  expect(networkPortSpec("T:22,U:53", "both")).toBe("T:22,U:53");
  expect(networkPortSpec("53/udp", "udp")).toBe("53/udp");
});
