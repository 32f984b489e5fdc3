/** Host names: the real resolver for the name that every host knows, a scripted one for what may go wrong. */

import { describe, expect, test } from "bun:test";
import { UsageError } from "#shared/errors.ts";
import { emptyAddressSet } from "#shared/net/address-set.ts";
import { formatAddressSet } from "#shared/net/target-spec.ts";
import { resolveHostnames, type Resolver } from "./resolve.ts";

async function refusal(names: readonly string[], resolver: Resolver, family?: 4 | 6): Promise<UsageError> {
  const error: unknown = await resolveHostnames(names, family, resolver).catch((cause: unknown) => cause);
  if (error instanceof UsageError) return error;
  throw new Error(`${names.join()} were resolved`);
}

function failing(code: string): Resolver {
  return () => Promise.reject(Object.assign(new Error(`lookup ${code}`), { code }));
}

test("asks this host: localhost is loopback", async () => {
  const { addresses, ofName } = await resolveHostnames(["localhost"], 4);
  expect(formatAddressSet(addresses)).toEqual(["127.0.0.1"]);
  expect(ofName).toEqual(new Map([["localhost", ["127.0.0.1"]]]));
});

describe("with a scripted resolver", () => {
  test("keeps the names in order, both families, and each address once", async () => {
    const answers = new Map([
      ["a.example", ["2001:DB8:0:0::1", "192.0.2.1", "192.0.2.1"]],
      ["b.example", ["192.0.2.2"]],
    ]);
    const { addresses, ofName } = await resolveHostnames(["b.example", "a.example"], undefined, (name) =>
      Promise.resolve(answers.get(name) ?? []),
    );
    expect([...ofName]).toEqual([
      ["b.example", ["192.0.2.2"]],
      ["a.example", ["2001:db8::1", "192.0.2.1"]],
    ]);
    expect(formatAddressSet(addresses)).toEqual(["192.0.2.1-192.0.2.2", "2001:db8::1"]);
  });

  test("asks for each name once, for the family wanted, and for at most 16 at a time", async () => {
    const names = Array.from({ length: 50 }, (_, i) => `h${i % 40}.example`);
    const asked: string[] = [];
    let underWay = 0;
    let most = 0;
    await resolveHostnames(names, 6, async (name, family) => {
      expect(family).toBe(6);
      asked.push(name);
      most = Math.max(most, ++underWay);
      await Promise.resolve();
      underWay--;
      return ["2001:db8::1"];
    });
    expect(asked.toSorted()).toEqual([...new Set(names)].toSorted());
    expect(most).toBe(16);
  });

  test("nothing to resolve is nothing found", async () => {
    const { addresses, ofName } = await resolveHostnames([], undefined, failing("EAI_AGAIN"));
    expect(addresses).toEqual(emptyAddressSet);
    expect(ofName.size).toBe(0);
  });

  test.each([
    ["ENOTFOUND", "host 'gone.example' has no address; check the name, or give the address itself"],
    [
      "EAI_AGAIN",
      "host 'gone.example' cannot be looked up (EAI_AGAIN); check this host's DNS, or give the address itself",
    ],
  ])("%s names the host and says what to do", async (code, message) => {
    const error = await refusal(["gone.example"], failing(code));
    expect(error).toMatchObject({ code: "HOST_NOT_FOUND", message, details: { token: "gone.example" } });
  });

  test.each([[[]], [["fe80::1%eth0"]]])("answers without a usable address, %j, are none", async (answers) => {
    const error = await refusal(["v4only.example"], () => Promise.resolve(answers), 6);
    expect(error.message).toStartWith("host 'v4only.example' has no IPv6 address;");
  });
});
