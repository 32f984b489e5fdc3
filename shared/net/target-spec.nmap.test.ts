/** Our reading of IPv4 specifications against nmap's, which lists the addresses of its targets without sending anything. */

import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { ipv4RangesOf } from "./address-ranges.ts";
import { countAddresses } from "./address-set.ts";
import { formatIpv4 } from "./ipv4.ts";
import { parseTargets } from "./target-spec.ts";

const SPECIFICATIONS = 200;
/** A specification may name this many; nmap would list more only slowly. */
const MAX_ADDRESSES = 2_048;

const value = fc.nat(255);
const near = fc.tuple(value, fc.nat(5)).map(([from, length]) => `${from}-${Math.min(255, from + length)}`);
const octet = fc.oneof(
  value.map(String),
  near,
  fc.nat(3).map((to) => `-${to}`),
  fc.nat(3).map((n) => `${252 + n}-`),
);
/** Where an open end or a beginning without number would be refused here. */
const edge = fc.oneof(value.map(String), near);
const pattern = fc
  .tuple(edge, octet, octet, fc.oneof(edge, fc.constantFrom("*", "-", "-7")))
  .map((o) => o.join("."));
const network = fc
  .tuple(value, value, value, value, fc.integer({ min: 21, max: 32 }))
  .map(([a, b, c, d, prefix]) => `${a}.${b}.${c}.${d}/${prefix}`);

function addressesOf(specification: string): number {
  return countAddresses(parseTargets([specification]));
}

function list(specification: string): string[] {
  return [...ipv4RangesOf(parseTargets([specification]).v4)].flatMap(({ first, last }) =>
    Array.from({ length: last - first + 1 }, (_, i) => formatIpv4(first + i)),
  );
}

/** Addresses that nmap makes of each specification. @throws Error with what it said */
function listByNmap(specifications: readonly string[]): string[] {
  if (Bun.which("nmap") === null) throw new Error("this test needs 'nmap': apt-get install -y nmap");
  const { exitCode, stdout, stderr } = Bun.spawnSync(["nmap", "-n", "-sL", "-oG", "-", ...specifications]);
  if (exitCode !== 0) throw new Error(`nmap failed with ${exitCode}: ${stderr.toString()}`);
  return [...stdout.toString().matchAll(/^Host: (\S+)/gm)].flatMap(([, address]) => address ?? []);
}

test(`${SPECIFICATIONS} octet patterns and networks name the same addresses as to nmap`, () => {
  const specifications = fc
    .sample(fc.oneof(pattern, network), SPECIFICATIONS * 2)
    .filter((text) => addressesOf(text) <= MAX_ADDRESSES)
    .slice(0, SPECIFICATIONS);
  expect(specifications).toHaveLength(SPECIFICATIONS);
  // nmap lists each specification by itself, in its order, and again what an earlier one named.
  const listed = listByNmap(specifications);
  let at = 0;
  for (const specification of specifications) {
    const addresses = list(specification);
    expect({ specification, addresses: listed.slice(at, at + addresses.length) }).toEqual({
      specification,
      addresses,
    });
    at += addresses.length;
  }
  expect(listed).toHaveLength(at);
});
