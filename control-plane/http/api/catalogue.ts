/** Everything under `/api` about what is scanned. */

import type { Services } from "../../services/services.ts";
import type { App } from "../environment.ts";
import { addDiscoveryLists } from "./discovery-lists.ts";
import { addDiscoveryAddresses } from "./discovery-push.ts";
import { addExpectedResults } from "./expected-results.ts";
import { addNetworks } from "./networks.ts";
import { addPortLists } from "./port-lists.ts";
import { addScanTemplates } from "./scan-templates.ts";
import { addScannerGroups } from "./scanner-groups.ts";
import { addSubnets } from "./subnets.ts";

export function addCatalogue(app: App, services: Services): void {
  addSubnets(app, services);
  addPortLists(app, services);
  addScannerGroups(app, services);
  addDiscoveryLists(app, services);
  addDiscoveryAddresses(app, services);
  addScanTemplates(app, services);
  addExpectedResults(app, services);
  addNetworks(app, services);
}
