/** What the control plane keeps of this host for inventory: name, address, what it can do. */

import { hostname, networkInterfaces } from "node:os";

/** The first address of a real network card, as operators know the host by it. */
export function internalIp(): string | undefined {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const outer = addresses.filter(({ internal }) => !internal);
  return (outer.find(({ family }) => family === "IPv4") ?? outer[0])?.address;
}

export function hostFacts(): { hostname: string; os: string; arch: string; internalIp?: string } {
  const address = internalIp();
  return {
    hostname: hostname(),
    os: process.platform,
    arch: process.arch,
    ...(address === undefined ? {} : { internalIp: address }),
  };
}
