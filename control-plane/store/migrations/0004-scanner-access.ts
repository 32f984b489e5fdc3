import type { Migration } from "../migrate.ts";

export const scannerAccess: Migration = {
  version: 4,
  name: "scanner-access",
  statements: () => [],
};
