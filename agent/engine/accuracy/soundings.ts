/**
 * Soundings: probes that are known to be answered, asked again, so that their silence measures the loss at the present
 * rate. The receiver notes what answered lately; senders ask it again while a rate is searched for.
 */

/** Enough that no single host is asked too often. */
const KNOWN = 256;
/** `cursor[0]` counts what was ever noted. */
export interface SoundingTargets {
  readonly cursor: Int32Array;
  /** Address numbers and ports, each noted at the same place. */
  readonly addressNumbers: Float64Array;
  readonly ports: Int32Array;
}

export function newSoundingTargets(): SoundingTargets {
  return {
    cursor: new Int32Array(new SharedArrayBuffer(4)),
    addressNumbers: new Float64Array(new SharedArrayBuffer(KNOWN * 8)),
    ports: new Int32Array(new SharedArrayBuffer(KNOWN * 4)),
  };
}

/** One writer: the receiver. A reader may meet a place half written, and then sounds a neighbour's port: harmless. */
export function noteAnswering(targets: SoundingTargets, addressNumber: number, port: number): void {
  const at = (targets.cursor[0] ?? 0) % KNOWN;
  targets.addressNumbers[at] = addressNumber;
  targets.ports[at] = port;
  // Counts on to a bound, then round: the wrap of an int32 would make places negative.
  targets.cursor[0] = (targets.cursor[0] ?? 0) >= 2 * KNOWN - 1 ? KNOWN : (targets.cursor[0] ?? 0) + 1;
}

/** How many places hold something. */
export function knownTargets(targets: SoundingTargets): number {
  return Math.min(KNOWN, targets.cursor[0] ?? 0);
}
