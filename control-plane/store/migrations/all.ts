/** Every migration, in order. A released migration never changes: a new one follows it. */

import type { Migration } from "../migrate.ts";
import { scannersAndScans } from "./0001-scanners-and-scans.ts";
import { operatorSessions } from "./0002-operator-sessions.ts";
import { vantagePoints } from "./0003-vantage-points.ts";
import { scannerAccess } from "./0004-scanner-access.ts";
import { catalogue } from "./0005-catalogue.ts";
import { dispatch } from "./0006-dispatch.ts";
import { results } from "./0007-results.ts";
import { history } from "./0008-history.ts";

export const MIGRATIONS: readonly Migration[] = [
  scannersAndScans,
  operatorSessions,
  vantagePoints,
  scannerAccess,
  catalogue,
  dispatch,
  results,
  history,
];
