/**
 * Every probe exactly once, proven by bitmap through the compiled program: listed whole, in shards of any number, and sent
 * by a scan that is stopped and taken up again.
 */

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { parseIpv4 } from "#shared/net/ipv4.ts";
import { type BlockLab, createBlockLab } from "../lab/block-lab.ts";
import { mustExecute } from "../processes/command.ts";
import { AGENT } from "../testing/programs.ts";
import { waitFor } from "../processes/service.ts";
import { E2E_TIMEOUT_MS, WAIT_TIMEOUT_MS } from "../testing/timeouts.ts";
import { scanCommand, temporaryFolder } from "./agent-scan.ts";
import { synsOf } from "./capture-file.ts";

setDefaultTimeout(E2E_TIMEOUT_MS);

/** Address and port, big-endian. */
const RECORD_BYTES = 6;
/** Programs started side by side. */
const AT_ONCE = 6;

/** A rectangle of consecutive addresses and ports, and a bit for each combination. */
class Bitmap {
  readonly size: number;
  seen = 0;
  private readonly bits: Uint8Array;
  private readonly firstAddress: number;
  private readonly firstPort: number;
  private readonly ports: number;

  constructor(firstAddress: string, addresses: number, firstPort: number, ports: number) {
    this.firstAddress = parseIpv4(firstAddress) ?? Number.NaN;
    this.firstPort = firstPort;
    this.ports = ports;
    this.size = addresses * ports;
    this.bits = new Uint8Array(Math.ceil(this.size / 8));
  }

  /** @throws Error on what is outside, or there already */
  mark(address: number, port: number): void {
    const place = (address - this.firstAddress) * this.ports + (port - this.firstPort);
    const inside = port >= this.firstPort && port < this.firstPort + this.ports;
    if (!inside || !(place >= 0 && place < this.size))
      throw new Error(`${address} ${port} was not asked for`);
    const [byte, bit] = [Math.floor(place / 8), 1 << (place % 8)];
    const before = this.bits[byte] ?? 0;
    if ((before & bit) !== 0) throw new Error(`${address} ${port} came twice`);
    this.bits[byte] = before | bit;
    this.seen++;
  }

  markRecords(records: Uint8Array): void {
    expect(records.length % RECORD_BYTES).toBe(0);
    const view = new DataView(records.buffer, records.byteOffset, records.length);
    for (let at = 0; at < records.length; at += RECORD_BYTES) {
      this.mark(view.getUint32(at), view.getUint16(at + 4));
    }
  }
}

async function listed(words: string): Promise<Uint8Array> {
  const child = Bun.spawn([AGENT, "scan", ...words.split(" "), "--dry-run", "--format", "binary"], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  const bytes = await new Response(child.stdout).bytes();
  expect(await child.exited).toBe(0);
  return bytes;
}

describe("a listing", () => {
  test.each([
    ["10.0.0.0/16", 65_536, "20-24", 20, 5],
    ["10.0.0.1", 1, "80", 80, 1],
    ["10.0.0.1-10.0.0.3", 3, "1-7", 1, 7],
    ["10.0.0.7", 1, "1-65535", 1, 65_535],
    ["10.255.255.254-11.0.1.0", 259, "65533-65535", 65_533, 3],
    ["10.0.0.0-10.1.0.0", 65_537, "443", 443, 1],
    ["10.77.0.0-10.77.3.230", 999, "1-101", 1, 101],
  ])("%s", async (targets, addresses, ports, firstPort, portCount) => {
    const bitmap = new Bitmap(targets.split(/[-/]/)[0] ?? "", addresses, firstPort, portCount);
    bitmap.markRecords(await listed(`${targets} -p ${ports}`));
    expect(bitmap.seen).toBe(bitmap.size);
  });
});

describe("shards", () => {
  test.each([7, 19, 258])("the %d of them are the whole", async (count) => {
    const bitmap = new Bitmap("10.0.0.0", 4_096, 20, 5);
    const sizes: number[] = [];
    const words = (shard: number): string => `10.0.0.0/20 -p 20-24 --seed 11 --shard ${shard}/${count}`;
    for (let shard = 1; shard <= count; shard += AT_ONCE) {
      const numbers = Array.from({ length: Math.min(AT_ONCE, count - shard + 1) }, (_, i) => shard + i);
      for (const records of await Promise.all(numbers.map((number) => listed(words(number))))) {
        bitmap.markRecords(records);
        sizes.push(records.length / RECORD_BYTES);
      }
    }
    expect(bitmap.seen).toBe(bitmap.size);
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
  });
});

describe("a scan that is stopped and taken up again", () => {
  const PROBES = 16_384 * 5;
  const RATE_PPS = 20_000;
  const PORT_TIMEOUT_MS = 50;
  /** Probes whose answers could still be under way when it is stopped are sent again; some slack for the stopping. */
  const MOST_AGAIN = 2 * RATE_PPS * (PORT_TIMEOUT_MS / 1_000);
  let lab: BlockLab;

  beforeAll(async () => {
    lab = await createBlockLab();
  });

  afterAll(async () => {
    await lab.close();
  });

  // Stopped when so many probes of this part have arrived, in turn. The last part runs to its end.
  test.each([
    { seed: 1, stops: [30_011] },
    { seed: 2, stops: [1, 17_001, 29_989] },
    { seed: 3, stops: [4_097, 5_003, 25_013, 9_001] },
  ])("seed $seed, stopped after $stops probes: every part sends what was left", async ({ seed, stops }) => {
    using folder = temporaryFolder();
    const way = `--rate ${RATE_PPS} --retries 0 --port-timeout ${PORT_TIMEOUT_MS} --gateway-mac ${lab.gatewayMac}`;
    let words = `10.99.0.0/18 -p 20-24 --seed ${seed} ${way}`;
    let left = await listedText(words);
    expect(new Set(left).size).toBe(PROBES);
    for (const [part, stop] of stops.entries()) {
      const pcap = join(folder.path, `${part}.pcap`);
      expect(await runPart(`${words} --pcap ${pcap} --quiet`, folder.path, stop)).toBe(130);
      const sent = synsOf(pcap);
      expect(sent.length).toBeGreaterThanOrEqual(stop);
      // It sends what is left, in its order and once,
      expect(sent).toEqual(left.slice(0, sent.length));
      words = `--resume ${newestResumeFile(folder.path)}`;
      const rest = await listedText(words);
      // and leaves all that it did not send, beginning a little before where it stopped.
      expect(rest).toEqual(left.slice(left.length - rest.length));
      expect(sent.length + rest.length).toBeGreaterThanOrEqual(left.length);
      expect(sent.length + rest.length).toBeLessThanOrEqual(left.length + MOST_AGAIN);
      left = rest;
    }
    const pcap = join(folder.path, "last.pcap");
    expect(await runPart(`${words} --pcap ${pcap} --quiet`, folder.path, undefined)).toBe(0);
    expect(synsOf(pcap)).toEqual(left);
  });

  async function listedText(words: string): Promise<string[]> {
    const text = await mustExecute([...scanCommand(words), "--dry-run"]);
    return text.trimEnd().split("\n");
  }

  /** @param stopAt probes after which it is interrupted; undefined lets it end */
  async function runPart(words: string, cwd: string, stopAt: number | undefined): Promise<number> {
    // Nobody answers, so nothing but the scan itself decides what is sent.
    lab.setFaults({ sink: true });
    const child = Bun.spawn(lab.onScanner(scanCommand(words)), { cwd, stdout: "ignore", stderr: "inherit" });
    if (stopAt !== undefined) {
      await waitFor("the probes to arrive", WAIT_TIMEOUT_MS, [], async () =>
        lab.counted("syns") >= stopAt ? true : undefined,
      );
      child.kill("SIGINT");
    }
    return await child.exited;
  }
});

function newestResumeFile(folder: string): string {
  // Their names sort by time.
  const name = readdirSync(folder)
    .filter((file) => file.endsWith(".resume.json"))
    .toSorted()
    .at(-1);
  if (name === undefined) throw new Error("the scan left no file to resume from");
  return join(folder, name);
}
