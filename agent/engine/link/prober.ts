/** What the sending loop needs of a way to probe. Two exist: SYN packets, and ordinary connections. */
export interface Prober {
  /** Gets ready before the first probe; may take seconds. Obeys STOP. */
  prepare(): void;
  /** How many probes may be added before the next `flush`. */
  room(): number;
  /** Adds one probe. False when the target is known not to be there, so that nothing needs to be sent. */
  add(addressNumber: number, port: number, pass: number): boolean;
  /** Sends what was added. Returns how many packets went out. */
  flush(): number;
  /** Probes that the kernel refused so far, and why the last one was. */
  refusals(): { readonly count: number; readonly reason: string };
  /** Probes that are sent and will be forgotten, answered or not, when the prober is closed now. */
  pending(): number;
  /** Passes at most `ms`, usefully. */
  idle(ms: number): void;
  /** After a pass: waits for the answers that are still under way; after the last one, as long as one may take. */
  settle(lastPass: boolean): void;
  /** Addresses that were found not to be there, by number. */
  unreachable(): readonly number[];
  close(): void;
}
