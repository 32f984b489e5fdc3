/** Routing on real tables in a network namespace: every answer is the one that `ip route get` gives there. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { LinkPair } from "./testing/link-pair.ts";
import type { RoutedSegment } from "./testing/routing-answers.ts";

let pair: LinkPair;

beforeAll(() => {
  pair = new LinkPair();
  pair.here("tuntap", "add", "dev", "tun0", "mode", "tun");
  pair.here("address", "add", "10.2.0.1/24", "dev", "tun0");
  pair.here("address", "add", "fd00:2::1/64", "dev", "tun0", "nodad");
  pair.here("link", "set", "tun0", "up");
  pair.here("link", "add", "bridge0", "type", "bridge");
  pair.here("address", "add", "10.8.0.1/24", "dev", "bridge0");
  pair.here("link", "set", "bridge0", "up");
  pair.here("link", "add", "link", "lan", "name", "mac0", "type", "macvlan");
  pair.here("address", "add", "10.9.0.1/24", "dev", "mac0");
  pair.here("link", "set", "mac0", "up");
  pair.here("route", "add", "default", "via", "10.1.0.2");
  pair.here("route", "add", "198.51.100.0/24", "via", "10.1.0.3");
  pair.here("route", "add", "198.51.100.128/25", "via", "10.1.0.2", "src", "10.2.0.1");
  pair.here("route", "add", "198.18.0.0/24", "via", "inet6", "fe80::2", "dev", "lan");
  pair.here("route", "add", "unreachable", "203.0.113.0/25");
  pair.here("route", "add", "prohibit", "203.0.113.128/25");
  pair.here("route", "add", "blackhole", "198.19.0.0/24");
  // Table 7 has one route, so the rule alone says where the answer changes.
  pair.here("rule", "add", "to", "192.0.2.64/26", "lookup", "7");
  pair.here("route", "add", "default", "dev", "tun0", "table", "7");
  pair.here("-6", "rule", "add", "to", "fd00:6:0:0:8000::/65", "lookup", "7");
  pair.here("-6", "route", "add", "default", "dev", "tun0", "table", "7");
  pair.here("-6", "route", "add", "fd00:5::/48", "via", "fe80::2", "dev", "lan");
  pair.here("-6", "route", "add", "fd00:6::/48", "via", "fd00:1::2");
  pair.here("-6", "route", "add", "unreachable", "fd00:7::/64");
});

afterAll(() => pair.close());

/** Interface, next hop and source as `ip route get` prints them. */
function ipRouteGet(
  address: string,
  ...more: readonly string[]
): Pick<RoutedSegment, "interfaceName" | "gateway" | "source"> {
  const text = pair.here("route", "get", address, ...more);
  const word = (name: string): string | undefined => new RegExp(` ${name} (\\S+)`).exec(text)?.[1];
  return { interfaceName: word("dev") ?? "", gateway: word("via"), source: word("src") ?? "" };
}

describe("the route to a single target is the kernel's", () => {
  test.each([
    ["a neighbour", "10.1.0.9", "frame"],
    ["behind the default gateway", "192.0.2.1", "frame"],
    ["behind another gateway", "198.51.100.1", "frame"],
    ["behind a route with a source of its own", "198.51.100.129", "frame"],
    ["behind a tunnel", "10.2.0.9", "kernel"],
    ["where a rule leads", "192.0.2.65", "kernel"],
    ["on a bridge", "10.8.0.9", "frame"],
    ["on a macvlan", "10.9.0.9", "frame"],
    ["loopback", "127.0.0.1", "kernel"],
    ["an address of our own", "10.1.0.1", "kernel"],
    ["an IPv6 neighbour", "fd00:1::9", "frame"],
    ["behind a link-local gateway", "fd00:5::9", "frame"],
    ["behind an IPv6 gateway", "fd00:6::9", "frame"],
    ["where an IPv6 rule leads", "fd00:6::8000:0:0:9", "kernel"],
    ["behind an IPv6 tunnel", "fd00:2::9", "kernel"],
    ["IPv6 loopback", "::1", "kernel"],
    ["an IPv6 address of our own", "fd00:1::1", "kernel"],
  ] as const)("%s", (_, address, via) => {
    const question = address.includes(":")
      ? { v6: [[address, address] as const] }
      : { v4: [[address, address] as const] };
    const [segment] = pair.ask(question).segments;
    const { interfaceName, gateway, source } = ipRouteGet(address);
    // Where the kernel routes, the next hop is its own business.
    const expected = {
      interfaceName,
      source,
      via,
      ...(via === "frame" && gateway !== undefined ? { gateway } : {}),
    };
    expect(segment).toMatchObject(expected);
    expect(segment?.gateway).toBe(via === "frame" ? gateway : undefined);
  });

  test("a next hop of the other family is left to the kernel", () => {
    const [segment] = pair.ask({ v4: [["198.18.0.1", "198.18.0.1"]] }).segments;
    expect(segment).toMatchObject({ interfaceName: "lan", via: "kernel", source: "10.1.0.1" });
  });
});

test("ranges are cut at routes and at rules alike, and broadcast addresses are left out", () => {
  const { segments, broadcast } = pair.ask({
    v4: [
      ["10.1.0.250", "10.1.0.255"],
      ["192.0.2.0", "192.0.2.255"],
      ["198.51.100.0", "198.51.100.255"],
    ],
    v6: [["fd00:6::7fff:ffff:ffff:fffe", "fd00:6::8000:0:0:1"]],
  });
  expect(broadcast).toEqual(["10.1.0.255"]);
  expect(
    segments.map(({ first, count, interfaceName, gateway }) => [first, count, interfaceName, gateway]),
  ).toEqual([
    ["10.1.0.250", 5, "lan", undefined],
    ["192.0.2.0", 64, "lan", "10.1.0.2"],
    ["192.0.2.64", 64, "tun0", undefined],
    ["192.0.2.128", 128, "lan", "10.1.0.2"],
    ["198.51.100.0", 128, "lan", "10.1.0.3"],
    ["198.51.100.128", 128, "lan", "10.1.0.2"],
    ["fd00:6::7fff:ffff:ffff:fffe", 2, "lan", "fd00:1::2"],
    ["fd00:6:0:0:8000::", 2, "tun0", undefined],
  ]);
});

test("what routes forbid is told apart", () => {
  const messageOf = (address: string): string => {
    const key = address.includes(":") ? "v6" : "v4";
    const { code, message } = pair.refusal({ [key]: [[address, address]] });
    expect(code).toBe("NO_ROUTE");
    return message;
  };
  expect(messageOf("203.0.113.1")).toContain("unreachable");
  expect(messageOf("203.0.113.129")).toContain("prohibited");
  expect(messageOf("198.19.0.1")).toContain("blackhole");
  expect(messageOf("fd00:7::1")).toContain("unreachable");
  expect(messageOf("2001:db8::1")).toBe("no IPv6 route to 2001:db8::1 from this host");
  expect(messageOf("ff02::1")).toContain("exclude them");
  expect(messageOf("224.0.0.1")).toContain("exclude them");
});

describe("what the user forces", () => {
  test("an interface with a route is taken", () => {
    const [segment] = pair.ask({ v4: [["10.9.0.9", "10.9.0.9"]], interfaceName: "mac0" }).segments;
    expect(segment).toMatchObject({ interfaceName: "mac0", source: "10.9.0.1", via: "frame" });
  });

  test("an interface without a route is refused, although the kernel would take the target to be on its link", () => {
    expect(ipRouteGet("192.0.2.1", "oif", "mac0").interfaceName).toBe("mac0");
    const { code, message } = pair.refusal({ v4: [["192.0.2.1", "192.0.2.1"]], interfaceName: "mac0" });
    expect(code).toBe("NO_ROUTE");
    expect(message).toContain("over mac0");
  });

  test("a link-local target needs the interface, and then has our link-local address as source", () => {
    expect(pair.refusal({ v6: [["fe80::2", "fe80::2"]] }).code).toBe("INTERFACE_NEEDED");
    const [segment] = pair.ask({ v6: [["fe80::2", "fe80::2"]], interfaceName: "lan" }).segments;
    expect(segment).toMatchObject({ interfaceName: "lan", via: "frame" });
    expect(segment?.source).toMatch(/^fe80::/);
  });

  test("any address of this host is a source, and no other", () => {
    for (const source4 of ["10.2.0.1", "10.1.0.1"]) {
      const [segment] = pair.ask({ v4: [["192.0.2.1", "192.0.2.1"]], source4 }).segments;
      expect(segment).toMatchObject({ source: source4, gateway: "10.1.0.2" });
    }
    const [own] = pair.ask({ v4: [["127.0.0.1", "127.0.0.1"]], source4: "127.0.0.5" }).segments;
    expect(own?.source).toBe("127.0.0.5");
    const [v6] = pair.ask({ v6: [["fd00:5::1", "fd00:5::1"]], source6: "fd00:2::1" }).segments;
    expect(v6).toMatchObject({ source: "fd00:2::1", gateway: "fe80::2" });
    const stranger = { v6: [["fd00:5::1", "fd00:5::1"] as const], source6: "fd00:5::9" };
    expect(pair.refusal(stranger)).toMatchObject({ name: "UsageError", code: "NO_SUCH_ADDRESS" });
  });
});
