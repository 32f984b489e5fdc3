/** From probe number to bytes: every probe of a space is made once, as the frame that it should be. */

import { expect, test } from "bun:test";
import { addressSetOf } from "#shared/net/address-set.ts";
import { MemoryTransmitter } from "../link/testing/memory-transmitter.ts";
import { SLOT_BYTES } from "../link/transmitter.ts";
import { newGenerator } from "./generator.ts";
import { aPlan, FIRST_SOURCE_PORT } from "./plan.ts";

const ETHERTYPE = 12;
const IP = 14;

/** Notes each frame when it would leave. */
class Recorder extends MemoryTransmitter {
  readonly seen: string[] = [];

  override commit(slot: number, lengthBytes: number): void {
    super.commit(slot, lengthBytes);
    const at = slot * SLOT_BYTES;
    const isV6 = this.view.getUint16(at + ETHERTYPE) === 0x86dd;
    const target = isV6 ? this.view.getInt32(at + IP + 36) : this.view.getInt32(at + IP + 16);
    const transport = at + IP + (isV6 ? 40 : 20);
    const protocol = this.view.getUint8(at + IP + (isV6 ? 6 : 9));
    expect(this.view.getUint16(transport)).toBe(FIRST_SOURCE_PORT);
    this.seen.push(
      [isV6 ? 6 : 4, protocol, target, this.view.getUint16(transport + 2), lengthBytes].join(" "),
    );
  }
}

/** Targets as the frames name them: by the last word of their address. */
const LAST_WORDS = { 4: [...range(100, 20), 300], 6: range(-3, 9) } as const;

function range(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => first + i);
}

test("a space of both families, in several stretches, is made once and whole", () => {
  const v6First = (0xfd00_0000n << 96n) + 2n ** 32n - 3n;
  const addresses = addressSetOf(
    [
      { first: 100, last: 119 },
      { first: 300, last: 300 },
    ],
    // Passes 2³²: the last word must wrap, the one before it must not stay.
    [{ first: v6First, last: v6First + 8n }],
  );
  const tcpPorts = [{ first: 80, last: 83 }];
  const plan = aPlan({ addresses, tcpPorts }, { reaches: ["gateway"] });
  const recorder = new Recorder();
  const made = newGenerator(plan, recorder).generate(0, plan.space.size);
  const expected = ([4, 6] as const).flatMap((family) =>
    LAST_WORDS[family].flatMap((word) =>
      range(80, 4).map((port) => [family, 6, word, port, IP + (family === 4 ? 20 : 40) + 24].join(" ")),
    ),
  );
  expect(made).toBe(plan.space.size);
  expect(recorder.seen.toSorted()).toEqual(expected.toSorted());
});

test("IPv4 alone, one way for all, is made once and whole", () => {
  const addresses = addressSetOf(
    [
      { first: 100, last: 119 },
      { first: 300, last: 300 },
    ],
    [],
  );
  const plan = aPlan({ addresses, tcpPorts: [{ first: 80, last: 83 }] }, { reaches: ["gateway"] });
  const recorder = new Recorder();
  newGenerator(plan, recorder).generate(0, plan.space.size);
  const expected = LAST_WORDS[4].flatMap((word) => range(80, 4).map((port) => `4 6 ${word} ${port} 58`));
  expect(recorder.seen.toSorted()).toEqual(expected.toSorted());
});
