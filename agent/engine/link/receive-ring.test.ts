/** The ring and its filter in the kernel, with real datagrams over loopback. Needs CAP_NET_RAW. */

import { afterEach, describe, expect, test } from "bun:test";
import { createSocket, type Socket } from "node:dgram";
import { newReply } from "../packet/reply-fields.ts";
import { parseReply } from "../packet/reply.ts";
import { type AddressFamily, formatWords } from "../targets/address-words.ts";
import { ReceiveRing } from "./receive-ring.ts";

const LOOPBACK = { 4: "127.0.0.1", 6: "::1" } as const;
const WAIT_MS = 10;
const PATIENCE_MS = 5_000;

let release: (() => void)[] = [];
afterEach(() => {
  release.forEach((free) => free());
  release = [];
});

function listen(families: readonly AddressFamily[], port: number): ReceiveRing {
  const ring = new ReceiveRing(families, port, 1);
  release.push(() => ring.close());
  return ring;
}

/** @param port 0 takes a free one */
async function socket(family: AddressFamily, port = 0): Promise<Socket> {
  const opened = createSocket(family === 4 ? "udp4" : "udp6");
  await new Promise<void>((resolve, reject) => {
    opened.once("error", reject);
    opened.bind(port, LOOPBACK[family], resolve);
  });
  release.push(() => opened.close());
  return opened;
}

/** A port that is held in both families, so that the kernel does not answer with "port unreachable". */
async function heldPort(): Promise<number> {
  for (let attempt = 0; attempt < 20; attempt++) {
    const { port } = (await socket(4)).address();
    const isFree = await socket(6, port).then(
      () => true,
      () => false,
    );
    if (isFree) return port;
  }
  throw new Error("found no port that is free in both families");
}

async function send(from: Socket, family: AddressFamily, port: number, data: string): Promise<void> {
  await new Promise<void>((resolve, reject) =>
    from.send(data, port, LOOPBACK[family], (error) => (error === null ? resolve() : reject(error))),
  );
}

interface Received {
  readonly address: string;
  readonly port: number;
  readonly ourPort: number;
  readonly data: string;
}

/** Everything that comes until `count` packets are there, and a while longer, in case there are more. */
function receive(ring: ReceiveRing, ourPort: number, count: number): Received[] {
  const received: Received[] = [];
  const reply = newReply();
  let quiet = 0;
  const untilMs = performance.now() + PATIENCE_MS;
  while (performance.now() < untilMs && quiet < 20) {
    const before = received.length;
    ring.receive(WAIT_MS, (view, at, length, seconds, nanoseconds) => {
      const isAnswer = parseReply(view, at, length, 1, 2, ourPort, 1, reply);
      const header = reply.family === 4 ? 28 : 48;
      received.push({
        address: formatWords(reply.family === 4 ? 4 : 6, [reply.t0, reply.t1, reply.t2, reply.t3]),
        port: isAnswer ? reply.targetPort : -1,
        ourPort: reply.ourPort,
        data: new TextDecoder().decode(new Uint8Array(view.buffer, at + header, length - header)),
      });
      const ageSeconds = Date.now() / 1_000 - seconds - nanoseconds / 1e9;
      if (Math.abs(ageSeconds) > 60) throw new Error(`a packet is ${ageSeconds} s old`);
    });
    quiet = received.length === before && received.length >= count ? quiet + 1 : 0;
  }
  return received;
}

describe.each([[[4]], [[6]], [[4, 6]]] as const)("a ring for the families %p", (families) => {
  test("gets what comes to our port, once, and nothing else", async () => {
    const [ourPort, otherPort] = [await heldPort(), await heldPort()];
    const ring = listen(families, ourPort);
    const wanted: Received[] = [];
    for (const family of [4, 6] as const) {
      const sender = await socket(family);
      const { port } = sender.address();
      for (const text of ["one", "two"]) {
        const data = `${text} over IPv${family}`;
        await send(sender, family, otherPort, data);
        await send(sender, family, ourPort, data);
        if (families.some((one) => one === family)) {
          wanted.push({ address: LOOPBACK[family], port, ourPort, data });
        }
      }
    }
    const byData = (one: Received, other: Received): number => one.data.localeCompare(other.data);
    expect(receive(ring, ourPort, wanted.length).toSorted(byData)).toEqual(wanted.toSorted(byData));
    expect(ring.kernelDrops()).toBe(0);
  });
});

test("packets that find no room are counted", async () => {
  const ourPort = await heldPort();
  const ring = listen([4], ourPort);
  const sender = await socket(4);
  // More than the whole ring holds.
  const data = "x".repeat(60_000);
  const sent = 1_200;
  for (let i = 0; i < sent; i++) await send(sender, 4, ourPort, data);
  const received = receive(ring, ourPort, 1).length;
  expect(received).toBeLessThan(sent);
  expect(received + ring.kernelDrops()).toBe(sent);
  // Counted on, not anew.
  expect(received + ring.kernelDrops()).toBe(sent);
});

test("an idle ring gives nothing", async () => {
  const ring = listen([4, 6], await heldPort());
  let called = false;
  ring.receive(1, () => {
    called = true;
  });
  expect(called).toBe(false);
});
