/** What is scanned: subnets, port lists, scanner groups, discovery lists, templates, and networks as a view on them. */

import type { Migration } from "../migrate.ts";

export const catalogue: Migration = {
  version: 5,
  name: "catalogue",
  statements: ({ identity, integer }) => {
    const common = `
      id ${identity},
      name text not null,
      description text not null,
      created_by text not null,
      created_at ${integer} not null,
      updated_at ${integer} not null,
      deleted_at ${integer}`;
    const named = (table: string, columns: readonly string[]): string[] => [
      `create table ${table} (${[common, ...columns].join(",\n      ")}\n    )`,
      `create unique index ${table}_name on ${table} (name) where deleted_at is null`,
    ];
    /** Which of `ofTable` refers to which of `toTable`. */
    const link = (name: string, of: string, ofTable: string, to: string, toTable: string): string[] => [
      `create table ${name} (
      ${of} ${integer} not null references ${ofTable} (id),
      ${to} ${integer} not null references ${toTable} (id),
      primary key (${of}, ${to})
    )`,
      `create index ${name}_to on ${name} (${to})`,
    ];
    return [
      ...named("subnets", [
        "cidr text not null",
        "exclusions text not null",
        `hosts ${integer} not null`,
        `rate_limit ${integer} not null`,
      ]),
      ...named("port_lists", [
        "spec text not null",
        "canonical text not null",
        `ports ${integer} not null`,
        `rate_limit ${integer} not null`,
      ]),
      ...named("scanner_groups", []),
      ...named("discovery_lists", [
        `rate_limit ${integer} not null`,
        `addresses ${integer} not null default 0`,
        `last_push_at ${integer}`,
      ]),
      `create table discovery_addresses (
      id ${identity},
      list_id ${integer} not null references discovery_lists (id),
      address text not null,
      first_seen ${integer} not null,
      last_seen ${integer} not null
    )`,
      `create unique index discovery_addresses_address on discovery_addresses (list_id, address)`,
      ...named("scan_templates", [
        "engine text not null",
        "protocol text not null",
        `service_detection ${integer} not null`,
        "options text not null",
      ]),
      `create table expected_results (
      id ${identity},
      template_id ${integer} not null references scan_templates (id),
      address text not null,
      protocol text not null,
      port ${integer} not null,
      state text not null
    )`,
      `create unique index expected_results_endpoint on expected_results (template_id, address, protocol, port)`,
      `create table networks (
      id ${identity},
      subnet_id ${integer} not null unique references subnets (id),
      port_list_id ${integer} not null unique references port_lists (id),
      template_id ${integer} not null unique references scan_templates (id),
      created_at ${integer} not null
    )`,
      ...link("subnet_scanners", "subnet_id", "subnets", "scanner_id", "scanners"),
      ...link("subnet_groups", "subnet_id", "subnets", "group_id", "scanner_groups"),
      ...link("scanner_group_members", "group_id", "scanner_groups", "scanner_id", "scanners"),
      ...link("discovery_list_scanners", "list_id", "discovery_lists", "scanner_id", "scanners"),
      ...link("discovery_list_groups", "list_id", "discovery_lists", "group_id", "scanner_groups"),
      ...link("template_subnets", "template_id", "scan_templates", "subnet_id", "subnets"),
      ...link("template_discovery_lists", "template_id", "scan_templates", "list_id", "discovery_lists"),
      ...link("template_port_lists", "template_id", "scan_templates", "port_list_id", "port_lists"),
    ];
  },
};
