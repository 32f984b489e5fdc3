import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Log, type LogEntry } from "#shared/log.ts";
import { mmdbFile } from "../testing/mmdb.ts";
import { AsnDatabase } from "./asn-database.ts";
import { parseAddress } from "./network.ts";

const SYSTEMS = {
  "192.0.2.0/25": 64_500,
  "198.51.100.7/32": 64_501,
  "203.0.113.0/24": 4_200_000_000,
  "2001:db8:1::/48": 64_502,
};

let directory: string;
let path: string;
let logged: LogEntry[];
let log: Log;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "portolan-asn-"));
  path = join(directory, "asn.mmdb");
  logged = [];
  log = new Log(
    (entry) => logged.push(entry),
    "DEBUG",
    () => 0,
  );
});
afterEach(() => rmSync(directory, { recursive: true }));

/** Each state of the file gets a time of its own, however fast they follow each other. */
let writes = 0;
function write(bytes: Buffer | string): void {
  writeFileSync(path, bytes);
  writes++;
  utimesSync(path, writes, writes);
}

async function lookup(database: AsnDatabase, text: string): Promise<number | undefined> {
  const address = parseAddress(text);
  if (address === undefined) throw new Error(`'${text}' is no address`);
  return database.lookup(address);
}

describe("an ASN database", () => {
  test.each([
    ["192.0.2.0", 64_500],
    ["192.0.2.127", 64_500],
    ["192.0.2.128", undefined],
    ["198.51.100.7", 64_501],
    ["198.51.100.8", undefined],
    ["203.0.113.99", 4_200_000_000],
    ["::ffff:203.0.113.99", 4_200_000_000],
    ["10.0.0.1", undefined],
    ["2001:db8:1:2::3", 64_502],
    ["2001:db8:2::3", undefined],
  ] as const)("finds the system of %s: %p", async (address, asn) => {
    write(mmdbFile(SYSTEMS));
    expect(await lookup(await AsnDatabase.open(path, log), address)).toBe(asn);
  });

  test("of IPv4 alone knows no IPv6", async () => {
    write(mmdbFile({ "192.0.2.0/24": 64_500 }, { ipVersion: 4 }));
    const database = await AsnDatabase.open(path, log);
    expect(await lookup(database, "192.0.2.1")).toBe(64_500);
    expect(await lookup(database, "2001:db8::1")).toBeUndefined();
  });

  test("is read again when the file has changed", async () => {
    write(mmdbFile({ "192.0.2.0/24": 64_500 }));
    const database = await AsnDatabase.open(path, log);
    write(mmdbFile({ "192.0.2.0/24": 64_999 }));
    expect(await lookup(database, "192.0.2.1")).toBe(64_999);
    expect(logged.map(({ event }) => event)).toEqual(["asn-database.loaded"]);
  });

  test("is read again when that is asked for, though the file looks the same", async () => {
    write(mmdbFile({ "192.0.2.0/24": 64_500 }));
    const database = await AsnDatabase.open(path, log);
    writes--;
    write(mmdbFile({ "192.0.2.0/24": 64_999 }));
    expect(await lookup(database, "192.0.2.1")).toBe(64_500);
    await database.refresh("always");
    expect(await lookup(database, "192.0.2.1")).toBe(64_999);
  });

  test("that was replaced by a damaged file, or by none, goes on serving, and says so once", async () => {
    write(mmdbFile({ "192.0.2.0/24": 64_500 }));
    const database = await AsnDatabase.open(path, log);
    write("no database");
    for (let i = 0; i < 3; i++) expect(await lookup(database, "192.0.2.1")).toBe(64_500);
    expect(logged).toMatchObject([
      { level: "ERROR", event: "asn-database.unreadable", message: expect.stringContaining("stays in use") },
    ]);
    write(mmdbFile({ "192.0.2.0/24": 64_999 }));
    expect(await lookup(database, "192.0.2.1")).toBe(64_999);
  });

  const whole = mmdbFile(SYSTEMS);
  test.each([
    ["is not there", undefined, "ENOENT"],
    ["is empty", Buffer.alloc(0), "as an ASN database"],
    ["is something else", Buffer.from("<html>Not Found</html>"), "as an ASN database"],
    ["is cut off at its end", whole.subarray(0, 2_000), "as an ASN database"],
    [
      "is cut off in its middle",
      Buffer.concat([whole.subarray(0, 50), whole.subarray(-300)]),
      "it is cut off",
    ],
    ["knows cities", mmdbFile(SYSTEMS, { databaseType: "GeoLite2-City" }), "autonomous systems"],
  ] as const)("that %s is refused at the start", async (_, bytes, why) => {
    if (bytes !== undefined) write(Buffer.from(bytes));
    const refusal: unknown = await AsnDatabase.open(path, log).catch((error: unknown) => error);
    expect(refusal).toMatchObject({
      code: "ASN_DATABASE_UNREADABLE",
      message: expect.stringContaining(why),
    });
  });
});
