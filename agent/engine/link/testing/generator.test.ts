/** From probe number to bytes: every probe of a space is made once, as the frame that it should be. */

import { expect, test } from "bun:test";
import { newPermutation } from "../../targets/permutation.ts";
import { portQuestions } from "../../targets/questions.ts";
import { type AddressStretch, buildSpace } from "../../targets/space.ts";
import { generate, newGenerator } from "./generator.ts";
import { MemoryTransmitter } from "./memory-transmitter.ts";
import { SLOT_BYTES } from "../transmitter.ts";

const SOURCE_PORT = 61_000;
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
    expect(this.view.getUint16(transport)).toBe(SOURCE_PORT);
    this.seen.push(
      [isV6 ? 6 : 4, protocol, target, this.view.getUint16(transport + 2), lengthBytes].join(" "),
    );
  }
}

test("a space of both families and protocols, in several stretches", () => {
  const stretches: AddressStretch[] = [
    { family: 4, first: [0, 0, 0, 100], count: 20 },
    { family: 4, first: [0, 0, 0, 300], count: 1 },
    { family: 6, first: [0xfd00_0000 | 0, 0, 0, -3], count: 9 },
  ];
  const ports = { first: 80, last: 83 };
  const space = buildSpace(
    stretches,
    portQuestions([ports], [ports], () => [0]),
  );
  const recorder = new Recorder();
  const prober = newGenerator(space, { k0: 1, k1: 2 }, recorder);
  const made = generate(prober, space, newPermutation(space.size, 5), SOURCE_PORT, 0, space.size);
  const expected: string[] = [];
  for (const { family, first, count } of stretches) {
    for (let n = 0; n < count; n++) {
      for (const [protocol, transportBytes] of [
        [6, 24],
        [17, 8],
      ] as const) {
        const length = IP + (family === 4 ? 20 : 40) + transportBytes;
        // The last word alone: in the IPv6 stretch it passes 2³², and the packet's must wrap.
        for (let port = 80; port <= 83; port++) {
          expected.push([family, protocol, (first[3] + n) | 0, port, length].join(" "));
        }
      }
    }
  }
  expect(made).toBe(space.size);
  expect(recorder.seen.toSorted()).toEqual(expected.toSorted());
});
