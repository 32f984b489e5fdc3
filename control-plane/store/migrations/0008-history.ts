import type { Migration } from "../migrate.ts";

export const history: Migration = {
  version: 8,
  name: "history",
  statements: () => [],
};
