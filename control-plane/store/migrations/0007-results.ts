import type { Migration } from "../migrate.ts";

export const results: Migration = {
  version: 7,
  name: "results",
  statements: () => [],
};
