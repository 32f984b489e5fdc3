/** Runs inside a block lab: listens on the open ports of every address there, until it is ended. */

import { READY } from "./answering.ts";
import { MORE_OPEN_PORTS, OPEN_PORT } from "./block.ts";

const listen = (port: number): void => {
  // Both families: a wildcard of IPv6 takes IPv4 too.
  Bun.listen({ hostname: "::", port, socket: { data: () => undefined } });
};
listen(OPEN_PORT);
for (let port = MORE_OPEN_PORTS.first; port <= MORE_OPEN_PORTS.last; port++) listen(port);
await Bun.write(Bun.stdout, READY);
