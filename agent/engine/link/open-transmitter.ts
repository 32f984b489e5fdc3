/** Opens the transmitter that a route takes: the best that this lane can have. */

import { SystemCallError } from "../../ffi/libc.ts";
import { PacketTransmitter } from "./packet-transmitter.ts";
import { RawTransmitter } from "./raw-transmitter.ts";
import type { Route } from "./route-types.ts";
import type { Transmitter, Wait } from "./transmitter.ts";
import { XdpTransmitter, xdpProblemText } from "./xdp-transmitter.ts";

/**
 * @param lane number of the sender; each has a transmit queue of its own while there are enough
 * @param tell is told why the next best had to be taken
 * @throws SystemCallError EPERM without CAP_NET_RAW
 */
export function openTransmitter(
  route: Route,
  frameLink: "xdp" | "packet",
  lane: number,
  wait: Wait,
  tell: (note: string) => void,
): Transmitter {
  if (route.via === "kernel") {
    return new RawTransmitter(route.family, route.isForced ? route.interfaceName : undefined, wait);
  }
  if (frameLink === "packet") return new PacketTransmitter(route.interfaceIndex, wait);
  const { interfaceName, txQueues } = route;
  // A queue takes one AF_XDP socket only. The next best sends the same frames.
  if (lane >= txQueues) {
    tell(`sender ${lane + 1} uses the packet link, because ${interfaceName} has ${txQueues} transmit queues`);
  } else {
    try {
      return new XdpTransmitter(route.interfaceIndex, lane, wait);
    } catch (error) {
      if (!(error instanceof SystemCallError)) throw error;
      tell(`using the packet link on ${interfaceName}: ${xdpProblemText(error)}`);
    }
  }
  return new PacketTransmitter(route.interfaceIndex, wait);
}
