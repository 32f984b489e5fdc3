/** Runs inside the lab: accepts connections on every port that is to be open, until it is ended. */

import { LAB_HOSTS } from "./hosts.ts";

for (const { address, open } of LAB_HOSTS) {
  for (const port of open) {
    Bun.listen({ hostname: address, port, socket: { data: () => undefined } });
  }
}
await Bun.write(Bun.stdout, "ready\n");
