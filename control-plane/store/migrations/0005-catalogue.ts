import type { Migration } from "../migrate.ts";

export const catalogue: Migration = {
  version: 5,
  name: "catalogue",
  statements: () => [],
};
