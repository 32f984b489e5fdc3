/** Every migration, in order. A released migration never changes: a new one follows it. */

import type { Migration } from "../migrate.ts";
import { scannersAndScans } from "./0001-scanners-and-scans.ts";
import { operatorSessions } from "./0002-operator-sessions.ts";

export const MIGRATIONS: readonly Migration[] = [scannersAndScans, operatorSessions];
