/** Capture files: other people's tools read them back, several threads may write at once, and a full disk is told. */

import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UsageError } from "#shared/errors.ts";
import { ipPacket, udpDatagram, UDP_PROTOCOL, viewOf } from "../packet/testing/packets.ts";
import { createCapture, PcapWriter } from "./capture.ts";

const directory = mkdtempSync(join(tmpdir(), "portolan-capture-"));
afterAll(() => rmSync(directory, { recursive: true }));

function datagram(family: 4 | 6, data: Uint8Array): Uint8Array {
  const host = (last: number) =>
    family === 4 ? ([0, 0, 0, 0x0a00_0000 + last] as const) : ([0x2001_0db8, 0, 0, last] as const);
  return ipPacket(family, host(1), host(2), UDP_PROTOCOL, udpDatagram(50_000, 9_999, data));
}

interface CapturedPacket {
  readonly timeSeconds: string;
  readonly protocols: string;
  readonly data: string;
}

/** What tshark reads. */
function read(path: string): CapturedPacket[] {
  const fields = ["frame.time_epoch", "frame.protocols", "data.data"].flatMap((field) => ["-e", field]);
  const { stdout, stderr, success } = Bun.spawnSync(
    ["tshark", "-n", "-r", path, "-T", "fields", "-E", "separator=/t", ...fields],
    { stdout: "pipe", stderr: "pipe" },
  );
  if (!success) throw new Error(`tshark failed: ${stderr.toString()}`);
  const lines = stdout.toString().split("\n").slice(0, -1);
  return lines.map((line) => {
    const [timeSeconds = "", protocols = "", data = ""] = line.split("\t");
    return { timeSeconds, protocols, data };
  });
}

describe("a capture file", () => {
  test("holds packets of both families with their times", () => {
    const path = join(directory, "both.pcap");
    createCapture(path);
    const writer = new PcapWriter(path);
    const v4 = datagram(4, Uint8Array.from([1, 2, 3]));
    const v6 = datagram(6, Uint8Array.from([4, 5, 6]));
    const ring = new Uint8Array(300);
    ring.set(v4, 7);
    ring.set(v6, 120);
    writer.writeAt(viewOf(ring), 7, v4.length, 1_700_000_000, 123_456_789);
    writer.writeAt(viewOf(ring), 120, v6.length, 1_700_000_001, 1);
    const beforeSeconds = Date.now() / 1_000;
    writer.write(viewOf(v4), 0, v4.length);
    writer.close();
    const packets = read(path);
    expect(packets.slice(0, 2)).toEqual([
      { timeSeconds: "1700000000.123456789", protocols: "raw:ip:udp:data", data: "010203" },
      { timeSeconds: "1700000001.000000001", protocols: "raw:ipv6:udp:data", data: "040506" },
    ]);
    expect(packets).toHaveLength(3);
    // The two clocks may differ by their grain.
    expect(Math.abs(Number(packets[2]?.timeSeconds) - beforeSeconds)).toBeLessThan(60);
    expect(writer.failed).toBe("");
  });

  test("takes packets as large as they come, and cuts none of them in two", () => {
    const path = join(directory, "large.pcap");
    createCapture(path);
    const writer = new PcapWriter(path);
    const sizes = [0, 1, 1_472, 30_000, 65_507, 65_507, 9];
    for (const size of sizes) {
      const packet = datagram(4, new Uint8Array(size).fill(7));
      writer.write(viewOf(packet), 0, packet.length);
    }
    writer.close();
    expect(read(path).map(({ data }) => data.length / 2)).toEqual(sizes);
  });

  test("is shared by threads that write at once", async () => {
    const path = join(directory, "threads.pcap");
    createCapture(path);
    const perThread = 3_000;
    const letters = ["a", "b", "c"];
    const source = `
      import { PcapWriter } from ${JSON.stringify(join(import.meta.dir, "capture.ts"))};
      self.onmessage = ({ data: { path, packet, count } }) => {
        const writer = new PcapWriter(path);
        const view = new DataView(packet.buffer);
        for (let i = 0; i < count; i++) writer.write(view, 0, packet.length);
        writer.close();
        self.postMessage(writer.failed);
      };`;
    const script = join(directory, "writer.ts");
    writeFileSync(script, source);
    const ends = letters.map((letter, i) => {
      const worker = new Worker(script);
      const packet = datagram(4, new TextEncoder().encode(letter.repeat(100 + i)));
      const end = new Promise<string>((resolve, reject) => {
        worker.addEventListener("message", (event: MessageEvent<string>) => resolve(event.data));
        worker.addEventListener("error", (event) => reject(new Error(event.message)));
      });
      worker.postMessage({ path, packet, count: perThread });
      return end.finally(() => worker.terminate());
    });
    expect(await Promise.all(ends)).toEqual(["", "", ""]);
    const counts = Object.groupBy(read(path), ({ data }) => data);
    const wanted = letters.map((letter, i) => new TextEncoder().encode(letter.repeat(100 + i)).toHex());
    expect(Object.keys(counts).toSorted()).toEqual(wanted.toSorted());
    for (const data of wanted) expect(counts[data]).toHaveLength(perThread);
  });
});

describe("what cannot be written", () => {
  test("is said before the scan, with the path", () => {
    for (const path of [join(directory, "nowhere", "scan.pcap"), directory]) {
      for (const open of [createCapture, (path: string) => new PcapWriter(path)]) {
        expect(() => open(path)).toThrow(UsageError);
        expect(() => open(path)).toThrow(path);
      }
    }
  });

  test("ends the capture and not the scan when the disk is full", () => {
    // The device that is always full.
    const writer = new PcapWriter("/dev/full");
    const packet = datagram(4, new Uint8Array(1_000));
    for (let i = 0; i < 200; i++) writer.write(viewOf(packet), 0, packet.length);
    writer.flush();
    writer.close();
    expect(writer.failed).toContain("/dev/full lacks 200 packets");
    expect(writer.failed).toContain("ENOSPC");
  });

  test("leaves a file with nothing but its header when nothing came", () => {
    const path = join(directory, "empty.pcap");
    createCapture(path);
    new PcapWriter(path).close();
    expect(readFileSync(path)).toHaveLength(24);
    expect(read(path)).toEqual([]);
  });
});
