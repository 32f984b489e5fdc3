/** From where a job looks, and which scanners may do it. */

import type { Migration } from "../migrate.ts";

export const vantagePoints: Migration = {
  version: 3,
  name: "vantage-points",
  statements: ({ identity, integer }) => [
    `create table vantages (
      id ${identity},
      key text not null unique
    )`,
    `create table job_scanners (
      job_id ${integer} not null references jobs (id),
      scanner_id ${integer} not null references scanners (id),
      primary key (job_id, scanner_id)
    )`,
    `create index job_scanners_scanner on job_scanners (scanner_id, job_id)`,
    `alter table jobs add column vantage_id ${integer} references vantages (id)`,
    `insert into vantages (key) select distinct 'scanner:' || scanner_id from jobs`,
    `update jobs set vantage_id = (select id from vantages where key = 'scanner:' || jobs.scanner_id)`,
    `insert into job_scanners (job_id, scanner_id) select id, scanner_id from jobs`,
  ],
};
