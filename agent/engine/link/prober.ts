/** What the sending loop needs of a way to probe. Two exist: packets of our own, and ordinary connections. */

export interface Prober {
  /** Gets ready before the first probe; may take seconds. Obeys STOP. */
  prepare(): void;
  /** How many probes may be added before the next `flush`. */
  room(): number;
  /**
   * Adds one probe.
   * @param addressNumber of the plan's space
   * @param kind one of packet/probe-kind.ts
   * @param payload number in the payload catalogue, for UDP; else 0
   * @param sourcePort our port, which tells the pass; ignored by connections
   * @returns false when the target is known not to be there, so that nothing needs to be sent
   */
  add(addressNumber: number, kind: number, port: number, payload: number, sourcePort: number): boolean;
  /**
   * Adds a SYN probe for each of `count` addresses, as `add` would. For many at once: a call a probe costs more than the
   * probe. Returns how many were added.
   */
  addSyns(count: number, addressNumbers: Float64Array, ports: Uint16Array, sourcePort: number): number;
  /** Sends what was added. Returns how many packets went out. */
  flush(): number;
  /** Probes that the kernel refused so far, and why the last one was. */
  refusals(): { readonly count: number; readonly reason: string };
  /** The links in use, as `--link` names them, and what people should know of how they came to be. */
  links(): readonly string[];
  notes(): readonly string[];
  /** Probes that are under way and will be forgotten, answered or not, when the prober is closed now. */
  pending(): number;
  /** Passes at most `ms`, usefully. */
  idle(ms: number): void;
  close(): void;
}
