/** Every parser of text from outside: it refuses by UsageError or undefined, and what it writes it reads back. */

import { describe, expect, test } from "bun:test";
import { isIP } from "node:net";
import { formatAddress, parseAddress } from "./address.ts";
import { ipv4RangesOf, ipv6RangesOf } from "./address-ranges.ts";
import { addressSetOf, type AddressSet, countAddresses } from "./address-set.ts";
import { isHostname } from "./hostname.ts";
import { MAX_PORT, formatPorts, parsePorts } from "./port-spec.ts";
import { formatAddressSet, parseExclusions, parseTargets, probedAddresses } from "./target-spec.ts";
import { collectFile, collectWords } from "./testing/collect.ts";
import { fuzz, pick, type Random, unlessRefused } from "./testing/fuzz.ts";

function octet(random: Random): string {
  return random(4) === 0 ? pick(random, ["0", "255", "256", "01"]) : String(random(300));
}

function ipv4(random: Random): string {
  return Array.from({ length: random(30) === 0 ? random(7) : 4 }, () => octet(random)).join(".");
}

function ipv6(random: Random): string {
  const groups = Array.from({ length: random(3) === 0 ? 8 : random(9) }, () =>
    pick(random, ["0", "0", "1", "ffff", "FE80", "2001", "db8", "00a", "12345"]),
  );
  if (random(2) === 0) groups.splice(random(groups.length + 1), random(3), "");
  if (random(6) === 0) groups.push(ipv4(random));
  const text = groups.join(":");
  return text === "" ? "::" : text.replace(/^:(?!:)/, "::").replace(/(?<!:):$/, "::");
}

/** Octets with ranges, the open ones last, so that few texts make many ranges. */
function pattern(random: Random): string {
  const range = (): string => pick(random, [octet(random), `${random(9)}-${random(30)}`, `-${random(5)}`]);
  const end = (): string => pick(random, ["*", "-", "1-254", `${random(256)}-`, octet(random)]);
  return [octet(random), range(), random(9) === 0 ? end() : range(), end()].join(".");
}

function target(random: Random): string {
  return pick(random, [
    ipv4,
    ipv6,
    pattern,
    (r: Random) => `${ipv4(r)}/${r(36)}`,
    (r: Random) => `${ipv6(r)}/${60 + r(72)}`,
    (r: Random) => `${ipv4(r)}-${pick(r, [ipv4(r), octet(r)])}`,
    (r: Random) => `${ipv6(r)}-${ipv6(r)}`,
    hostname,
  ])(random);
}

function hostname(random: Random): string {
  const labels = Array.from({ length: 1 + random(4) }, () =>
    pick(random, ["a", "www", "x-1", "-", "9", "0x7f", "Ü"]),
  );
  return labels.join(".");
}

function targets(random: Random): string {
  return Array.from({ length: 1 + random(3) }, () => target(random)).join(
    pick(random, [",", " ", ", ", "\n"]),
  );
}

function ports(random: Random): string {
  const number = (): string => String(pick(random, [random(70_000), random(100), 0, MAX_PORT]));
  const what = (): string =>
    pick<() => string>(random, [
      number,
      () => `${number()}-${number()}`,
      () => "-",
      () => pick(random, ["http", "SSH", "domain", "x11", "ms-wbt-server"]),
      () => (random(40) === 0 ? "htpp" : "https"),
    ])();
  const token = (): string =>
    pick(random, ["", "", "!", "T:", "U:", "!U:"]) + what() + pick(random, ["", "", "/tcp", "/UDP"]);
  return Array.from({ length: 1 + random(4) }, token).join(pick(random, [",", " ", ", "]));
}

/** Texts with thousands of ranges are left to the other tests. */
function isSmall({ v4, v6 }: AddressSet): boolean {
  return v4.length + v6.length < 100;
}

/** Some seconds when alone; more when the machine is busy. */
const TIMEOUT_MS = 60_000;

describe("whatever the text", () => {
  test(
    "parseAddress accepts what node:net accepts, and reads back what formatAddress writes",
    () => {
      fuzz(
        (random) => pick(random, [ipv4, ipv6])(random),
        (text) => {
          const address = parseAddress(text);
          // A zone is an address to node:net, and none here.
          if (!text.includes("%")) expect(address?.family ?? 0).toBe(isIP(text));
          if (address !== undefined) expect(parseAddress(formatAddress(address))).toEqual(address);
        },
      );
    },
    TIMEOUT_MS,
  );

  test(
    "target specifications",
    () => {
      fuzz(targets, (text) => {
        const set = unlessRefused(() => parseTargets([text]));
        if (set === undefined || !isSmall(set)) return;
        expect(set).toEqual(addressSetOf(ipv4RangesOf(set.v4), ipv6RangesOf(set.v6)));
        const words = formatAddressSet(set);
        // Two networks may together be more than a target may hold, so the size is not asked about again.
        expect(parseExclusions(words)).toEqual(set);
        expect(countAddresses(probedAddresses(set, set))).toBe(0);
      });
    },
    TIMEOUT_MS,
  );

  test(
    "lists of targets and host names",
    () => {
      fuzz(targets, (text) => {
        const split = unlessRefused(() => collectWords([text]));
        if (split === undefined) return;
        const words = text.split(/[\s,]+/).filter((word) => word !== "" && !isHostname(word));
        if (isSmall(split.addresses)) expect(split.addresses).toEqual(parseTargets(words));
        for (const name of split.hostnames) expect([isHostname(name), isIP(name)]).toEqual([true, 0]);
      });
    },
    TIMEOUT_MS,
  );

  test(
    "files of targets",
    () => {
      fuzz(
        (random) =>
          `${target(random)}${pick(random, [" # x", "\r\n", "\n;", "\n\n", ",", "#"])}${target(random)}`,
        (text, random) => {
          const whole = unlessRefused(() => collectFile([text]));
          const cut = random(text.length + 1);
          expect(unlessRefused(() => collectFile([text.slice(0, cut), text.slice(cut)]))).toEqual(whole);
        },
      );
    },
    TIMEOUT_MS,
  );

  test(
    "port specifications",
    () => {
      fuzz(ports, (text) => {
        const set = unlessRefused(() => parsePorts(text));
        if (set !== undefined) expect(parsePorts(formatPorts(set))).toEqual(set);
      });
    },
    TIMEOUT_MS,
  );
});
