/**
 * The catalogue of requests that make UDP services speak, by port. A silent UDP port may be open or filtered; only an
 * answer tells. All requests are written from their specifications, and small ones are preferred.
 */

import { dataPayloads } from "./payloads/data.ts";
import { devicePayloads } from "./payloads/devices.ts";
import { directoryPayloads } from "./payloads/directory.ts";
import { discoveryPayloads } from "./payloads/discovery.ts";
import { gamePayloads } from "./payloads/games.ts";
import { ikePayloads } from "./payloads/ike.ts";
import { managementPayloads } from "./payloads/management.ts";
import { namePayloads } from "./payloads/names.ts";
import { plain, type UdpPayload } from "./payloads/payload.ts";
import { timePayloads } from "./payloads/time.ts";
import { tunnelPayloads } from "./payloads/tunnels.ts";
import { voicePayloads } from "./payloads/voice.ts";

export type { UdpPayload } from "./payloads/payload.ts";

/** For ports of which no service is known. */
const EMPTY = plain("empty", [], new Uint8Array(0));

interface Catalogue {
  /** A payload's place is its number. Payloads of one port are sent in this order. */
  readonly payloads: readonly UdpPayload[];
  readonly numbersOfPort: ReadonlyMap<number, readonly number[]>;
}

let catalogue: Catalogue | undefined;

/** Made when first asked for: most scans send no UDP, and none should wait for it. */
function theCatalogue(): Catalogue {
  catalogue ??= newCatalogue();
  return catalogue;
}

function newCatalogue(): Catalogue {
  const payloads = [
    EMPTY,
    ...namePayloads(),
    ...timePayloads(),
    ...managementPayloads(),
    ...directoryPayloads(),
    ...discoveryPayloads(),
    ...ikePayloads(),
    ...tunnelPayloads(),
    ...devicePayloads(),
    ...voicePayloads(),
    ...gamePayloads(),
    ...dataPayloads(),
  ];
  const numbersOfPort = new Map<number, number[]>();
  payloads.forEach(({ ports }, number) => {
    for (const port of ports) numbersOfPort.set(port, [...(numbersOfPort.get(port) ?? []), number]);
  });
  return { payloads, numbersOfPort };
}

export function payloadCount(): number {
  return theCatalogue().payloads.length;
}

export function payload(number: number): UdpPayload {
  return number === 0 ? EMPTY : (theCatalogue().payloads[number] ?? EMPTY);
}

const EMPTY_ONLY: readonly number[] = [0];

/** Numbers of the payloads to send to a port: at least one, the empty one where no other is known. */
export function payloadsOfPort(port: number): readonly number[] {
  return theCatalogue().numbersOfPort.get(port) ?? EMPTY_ONLY;
}

/**
 * Whether a datagram of `length` bytes at `at` from this port can be an answer to what was sent there. Where every
 * payload of the port has its cookie brought back, one of them must be; else it cannot be told.
 * @param cookie of the probe from our port to this one
 */
export function mayAnswer(port: number, view: DataView, at: number, length: number, cookie: number): boolean {
  for (const number of payloadsOfPort(port)) {
    const { answers } = payload(number);
    if (answers === undefined || answers(view, at, length, cookie)) return true;
  }
  return false;
}
