/**
 * A tunnel between two namespaces: a tun device in each, and a program that carries packets from one to the other.
 * An interface without Ethernet, as VPNs and mobile modems have.
 */

import { type AnsweringProgram, startAnswering, stopAnswering } from "./answering.ts";
import { run } from "./namespaces.ts";

export const TUNNEL = {
  interfaceName: "tun0",
  scanner: "10.97.0.1",
  target: "10.97.0.2",
  scanner6: "fd00:213:97::1",
  target6: "fd00:213:97::2",
} as const;

/** Ends with the program; the devices go with it. */
export class Tunnel {
  private readonly carrier: AnsweringProgram;

  private constructor(carrier: AnsweringProgram) {
    this.carrier = carrier;
  }

  static async open(scanner: string, target: string): Promise<Tunnel> {
    const carrier = await startAnswering(scanner, "tunnel-carrier.ts", [target]);
    addAddresses(scanner, TUNNEL.scanner, TUNNEL.scanner6);
    addAddresses(target, TUNNEL.target, TUNNEL.target6);
    return new Tunnel(carrier);
  }

  close(): Promise<void> {
    return stopAnswering(this.carrier);
  }
}

function addAddresses(namespace: string, v4: string, v6: string): void {
  const device = ["dev", TUNNEL.interfaceName];
  run(["ip", "-n", namespace, "address", "add", `${v4}/30`, ...device]);
  run(["ip", "-n", namespace, "address", "add", `${v6}/64`, ...device, "nodad"]);
  run(["ip", "-n", namespace, "link", "set", TUNNEL.interfaceName, "up"]);
}
