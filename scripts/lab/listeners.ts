/** Runs inside the lab: listens on every port that is to be open, until it is ended. */

import { READY } from "./answering.ts";
import { LAB_HOSTS } from "./hosts.ts";
import { udpAnswer } from "./udp-services.ts";

for (const { address, address6, open, udpOpen } of LAB_HOSTS) {
  for (const hostname of [address, address6]) {
    for (const port of open) Bun.listen({ hostname, port, socket: { data: () => undefined } });
    for (const port of udpOpen) {
      await Bun.udpSocket({
        hostname,
        port,
        socket: {
          data(socket, request, theirPort, theirAddress) {
            const answer = udpAnswer(port, request);
            if (answer !== undefined) socket.send(answer, theirPort, theirAddress);
          },
          // A scanner that has no socket refuses the answer, which is its own business.
          error: () => undefined,
        },
      });
    }
  }
}
await Bun.write(Bun.stdout, READY);
