/** The queue of hosts to send canaries to: in order, bounded, and each request knows whether it was served. */

import { expect, test } from "bun:test";
import * as fc from "fast-check";
import {
  areCanariesSent,
  type CanaryQueue,
  hasCanaryHosts,
  newCanaryQueue,
  nextCanaryHost,
  requestCanaries,
} from "./canary-queue.ts";

const SLOTS = 4_096;
/** Where the slots begin anew, where the sign of a cursor turns, and where the cursor itself does. */
const CURSORS = [0, SLOTS - 3, 2 ** 31 - 3, -3];

function queueAt(cursor: number): CanaryQueue {
  const queue = newCanaryQueue();
  queue.cursors.fill(cursor);
  return queue;
}

test.each(CURSORS)("from cursor %d on, hosts come out as they went in", (cursor) => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 60 }), (writes) => {
      const queue = queueAt(cursor);
      const waiting: { host: number; ticket: number | undefined }[] = [];
      let host = 2 ** 40;
      for (const write of writes) {
        if (write) {
          waiting.push({ host, ticket: requestCanaries(queue, host) });
          host++;
        } else {
          const served = waiting.shift();
          expect(nextCanaryHost(queue)).toBe(served?.host ?? -1);
          if (served?.ticket !== undefined) expect(areCanariesSent(queue, served.ticket)).toBe(true);
        }
        for (const { ticket = Number.NaN } of waiting) expect(areCanariesSent(queue, ticket)).toBe(false);
        expect(hasCanaryHosts(queue)).toBe(waiting.length > 0);
      }
    }),
  );
});

test.each(CURSORS)(
  "from cursor %d on, a full queue refuses, and takes again when there is room",
  (cursor) => {
    const queue = queueAt(cursor);
    for (let host = 0; host < SLOTS; host++) expect(requestCanaries(queue, host)).toBeDefined();
    expect(requestCanaries(queue, SLOTS)).toBe(undefined);
    expect(nextCanaryHost(queue)).toBe(0);
    expect(requestCanaries(queue, SLOTS)).toBeDefined();
    for (let host = 1; host <= SLOTS; host++) expect(nextCanaryHost(queue)).toBe(host);
    expect(nextCanaryHost(queue)).toBe(-1);
  },
);
