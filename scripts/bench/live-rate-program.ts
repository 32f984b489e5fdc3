/** A scan whose rate another process changes while it runs: SIGUSR2 sets the second of the two rates given. */

import { parseTargets } from "#shared/net/target-spec.ts";
import { scanRequest, scanScope } from "../../agent/cli/scan-options.ts";
import { Scan } from "../../agent/engine/scan.ts";
import { BLOCK } from "../lab/block.ts";

const [, , first = "", second = "", gatewayMac = ""] = process.argv;
const scope = scanScope(parseTargets([BLOCK.network]), { ports: "-", retries: "0" });
const request = scanRequest(
  scope,
  { rate: first, gatewayMac },
  { resume: undefined, capturePath: undefined },
);
const scan = new Scan(request, () => undefined);
process.on("SIGUSR2", () => scan.setRate(Number(second)));
const engine = new URL("../../agent/engine/", import.meta.url);
await scan.run(
  {
    sender: () => new Worker(new URL("sender.worker.ts", engine)),
    receiver: () => new Worker(new URL("receiver.worker.ts", engine)),
  },
  { ports: () => undefined, hosts: () => undefined, note: () => undefined },
);
