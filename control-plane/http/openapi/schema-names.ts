/**
 * Names for the objects of the wire contract, so that the document, and what is generated from it, call them as the
 * code does: `scanViewSchema` is `ScanView`. An object of a module that is not here is written out where it is used.
 */

import { zodToOpenAPIRegistry } from "@asteasolutions/zod-to-openapi";
import { z } from "zod";
import * as administration from "#shared/protocol/administration.ts";
import * as catalogue from "#shared/protocol/catalogue.ts";
import * as changes from "#shared/protocol/changes.ts";
import * as comparisons from "#shared/protocol/comparisons.ts";
import * as discovery from "#shared/protocol/discovery.ts";
import * as endpoints from "#shared/protocol/endpoints.ts";
import * as enrolment from "#shared/protocol/enrolment.ts";
import * as errors from "#shared/protocol/errors.ts";
import * as fields from "#shared/protocol/fields.ts";
import * as jobAdministration from "#shared/protocol/job-administration.ts";
import * as job from "#shared/protocol/job.ts";
import * as legacy from "#shared/protocol/legacy.ts";
import * as networks from "#shared/protocol/networks.ts";
import * as operator from "#shared/protocol/operator.ts";
import * as portLists from "#shared/protocol/port-lists.ts";
import * as retention from "#shared/protocol/retention.ts";
import * as scanTemplates from "#shared/protocol/scan-templates.ts";
import * as scannerAcl from "#shared/protocol/scanner-acl.ts";
import * as scannerConfig from "#shared/protocol/scanner-config.ts";
import * as scannerGroups from "#shared/protocol/scanner-groups.ts";
import * as scannerStats from "#shared/protocol/scanner-stats.ts";
import * as scanner from "#shared/protocol/scanner.ts";
import * as schedule from "#shared/protocol/schedule.ts";
import * as session from "#shared/protocol/session.ts";
import * as settings from "#shared/protocol/settings.ts";
import * as subnets from "#shared/protocol/subnets.ts";
import { EXAMPLES } from "./examples.ts";

const MODULES = [
  administration,
  catalogue,
  changes,
  comparisons,
  discovery,
  endpoints,
  enrolment,
  errors,
  fields,
  jobAdministration,
  job,
  legacy,
  networks,
  operator,
  portLists,
  retention,
  scanTemplates,
  scannerAcl,
  scannerConfig,
  scannerGroups,
  scannerStats,
  scanner,
  schedule,
  session,
  settings,
  subnets,
];

const named = new Set<string>();

/**
 * Call it before the document is made; again does no harm.
 * @throws Error when two modules have schemas of one name
 */
export function nameSchemas(): void {
  for (const module of MODULES) {
    for (const [exported, schema] of Object.entries(module)) {
      if (!(schema instanceof z.ZodObject) || zodToOpenAPIRegistry.has(schema)) continue;
      const refId = `${exported.charAt(0).toUpperCase()}${exported.slice(1).replace(/Schema$/, "")}`;
      if (named.has(refId)) throw new Error(`there are two schemas called ${refId}`);
      named.add(refId);
      const examples = EXAMPLES[refId];
      zodToOpenAPIRegistry.add(schema, {
        _internal: { refId },
        ...(examples === undefined ? {} : { examples: [...examples] }),
      });
    }
  }
}
