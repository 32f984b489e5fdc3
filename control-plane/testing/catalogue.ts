/** Makes things to scan, for tests. Every call must be good. */

import {
  type DiscoveryListView,
  discoveryListViewSchema,
  type DiscoveryPushResponse,
  discoveryPushResponseSchema,
} from "#shared/protocol/discovery.ts";
import { type PortListView, portListViewSchema } from "#shared/protocol/port-lists.ts";
import { type ScannerGroupView, scannerGroupViewSchema } from "#shared/protocol/scanner-groups.ts";
import { type ScanTemplateView, scanTemplateViewSchema } from "#shared/protocol/scan-templates.ts";
import { type SubnetView, subnetViewSchema } from "#shared/protocol/subnets.ts";
import type { TestControlPlane } from "./control-plane.ts";

export class TestCatalogue {
  private readonly plane: TestControlPlane;
  private named = 0;

  constructor(plane: TestControlPlane) {
    this.plane = plane;
  }

  async subnet(cidr: string, more: object = {}): Promise<SubnetView> {
    return this.plane.operate("POST", "/api/config/subnets", subnetViewSchema, {
      name: this.name("net"),
      cidr,
      ...more,
    });
  }

  async portList(spec: string, more: object = {}): Promise<PortListView> {
    return this.plane.operate("POST", "/api/config/port-lists", portListViewSchema, {
      name: this.name("ports"),
      spec,
      ...more,
    });
  }

  async group(scannerIds: readonly number[], more: object = {}): Promise<ScannerGroupView> {
    return this.plane.operate("POST", "/api/config/scanner-groups", scannerGroupViewSchema, {
      name: this.name("group"),
      scannerIds,
      ...more,
    });
  }

  async discoveryList(more: object = {}): Promise<DiscoveryListView> {
    return this.plane.operate("POST", "/api/config/discovery-lists", discoveryListViewSchema, {
      name: this.name("list"),
      ...more,
    });
  }

  async push(list: string, ips: readonly string[]): Promise<DiscoveryPushResponse> {
    return this.plane.operate("POST", `/discovery/lists/${list}/ips`, discoveryPushResponseSchema, { ips });
  }

  async template(more: object): Promise<ScanTemplateView> {
    return this.plane.operate("POST", "/api/config/scan-templates", scanTemplateViewSchema, {
      name: this.name("template"),
      ...more,
    });
  }

  private name(kind: string): string {
    this.named++;
    return `${kind}-${this.named}`;
  }
}
