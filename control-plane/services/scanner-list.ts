/** Scanners as a list to look through: filtered, in pages, and the values that there are to filter by. */

import type { ScannerFilterValues, ScannerListQuery, ScannerPage } from "#shared/protocol/scanner-config.ts";
import { DEFAULT_PAGE_SIZE } from "#shared/protocol/limits.ts";
import { bindingModeSchema, scannerStatusSchema } from "#shared/protocol/operator.ts";
import { listScannerPage, listScannerValues } from "../store/scanner-list.ts";
import { listScanners } from "../store/scanners.ts";
import type { Store } from "../store/store.ts";
import { pageOf } from "./page.ts";
import { scannerStatus, scannerView } from "./scanner-view.ts";

export class ScannerList {
  private readonly store: Store;

  constructor(store: Store) {
    this.store = store;
  }

  /** All of them by name; with a filter or a page asked for, those of the page by id. */
  async list(query: ScannerListQuery): Promise<ScannerPage> {
    const { limit = DEFAULT_PAGE_SIZE, cursor = 0, ...filter } = query;
    if (Object.values(query).every((value) => value === undefined)) {
      return { scanners: (await this.store.run(listScanners)).map(scannerView) };
    }
    const rows = await this.store.run((session) =>
      listScannerPage(session, filter, { limit: limit + 1, after: cursor }),
    );
    const page = pageOf(rows, limit);
    return { scanners: page.rows.map(scannerView), nextCursor: page.nextCursor };
  }

  async filterValues(): Promise<ScannerFilterValues> {
    return this.store.run(async (session) => {
      const statuses = new Set((await listScanners(session)).map(scannerStatus));
      const modes = new Set(await listScannerValues(session, "binding_mode"));
      return {
        names: await listScannerValues(session, "name"),
        statuses: scannerStatusSchema.options.filter((status) => statuses.has(status)),
        bindingModes: bindingModeSchema.options.filter((mode) => modes.has(mode)),
        createdBy: await listScannerValues(session, "created_by"),
        versions: await listScannerValues(session, "version"),
      };
    });
  }
}
