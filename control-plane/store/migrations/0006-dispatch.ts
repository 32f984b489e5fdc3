import type { Migration } from "../migrate.ts";

export const dispatch: Migration = {
  version: 6,
  name: "dispatch",
  statements: () => [],
};
