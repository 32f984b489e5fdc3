import { expect, test } from "bun:test";
import { type Network, parseNetwork } from "../services/network.ts";
import { clientAddress } from "./client-address.ts";

const proxies: Network[] = ["10.0.0.0/8", "::1"].map((text) => {
  const network = parseNetwork(text);
  if (network === undefined) throw new Error(text);
  return network;
});

test.each([
  ["without the header, the peer", "192.0.2.1", undefined, "192.0.2.1"],
  ["a peer that is no trusted proxy, whatever it writes", "192.0.2.1", "203.0.113.9", "192.0.2.1"],
  ["the hop that the trusted proxy saw", "10.0.0.1", "203.0.113.9", "203.0.113.9"],
  ["not what the caller wrote before it", "10.0.0.1", "203.0.113.66, 203.0.113.9", "203.0.113.9"],
  [
    "the last hop beyond a chain of trusted proxies",
    "10.0.0.1",
    "203.0.113.9, 10.2.2.2,10.1.1.1",
    "203.0.113.9",
  ],
  ["the outermost proxy, when all are trusted", "10.0.0.1", "10.9.9.9", "10.9.9.9"],
  ["the proxy, when its hop cannot be read", "10.0.0.1", "203.0.113.9, unknown", "10.0.0.1"],
  ["an IPv4 peer of a dual-stack socket", "::ffff:10.0.0.1", "::ffff:203.0.113.9", "203.0.113.9"],
  ["a proxy over IPv6", "::1", "2001:DB8::1", "2001:db8::1"],
])("%s", (_, peer, forwardedFor, expected) => {
  expect(clientAddress(peer, forwardedFor, proxies)).toBe(expected);
});
