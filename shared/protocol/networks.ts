/**
 * Networks: what scanners of Open Port Monitor and its scripts know instead of subnets, port lists and templates.
 * Snake case, as they write it. Each is a view on one subnet, one port list and one template.
 */

import { z } from "zod";
import { catalogueNameSchema, descriptionSchema, nextCursorSchema, sharedRateSchema } from "./catalogue.ts";
import { idSchema, timestampSchema } from "./fields.ts";
import {
  DEFAULT_PORT_TIMEOUT_MS,
  DEFAULT_SCAN_TIMEOUT_SECONDS,
  MAX_PORT_SPEC_LENGTH,
  MAX_TARGET_LENGTH,
} from "./limits.ts";
import { scanProtocolSchema, scanTemplatePatchSchema } from "./scan-templates.ts";

/** What a network is scanned with when none is named: the ports that `portolan-agent scan` takes too. */
export const DEFAULT_NETWORK_PORTS = "1-1000";

/** `masscan` means our own engine, which does what masscan did there. */
export const scannerTypeSchema = z.enum(["masscan", "nmap"]);
export type ScannerType = z.infer<typeof scannerTypeSchema>;

const fields = {
  name: catalogueNameSchema,
  description: descriptionSchema,
  cidr: z.string().min(1).max(MAX_TARGET_LENGTH),
  /** Ports, ranges and names, `!` before what is left out. The protocol is said by `scan_protocol`. */
  port_spec: z
    .string()
    .min(1)
    .max(MAX_PORT_SPEC_LENGTH / 2 - 8),
  /** The scanner it is assigned to; null: nobody scans it. */
  scanner_id: idSchema.nullable(),
  scanner_type: scannerTypeSchema,
  scan_protocol: scanProtocolSchema,
  service_detection: z.boolean(),
  /** Probes per second; 0 means unlimited. */
  rate: sharedRateSchema,
  /** Seconds for the whole scan. */
  scan_timeout: scanTemplatePatchSchema.shape.scanTimeoutSeconds.unwrap(),
  /** Milliseconds for one probe. */
  port_timeout: scanTemplatePatchSchema.shape.portTimeoutMs.unwrap(),
};

/** `POST /api/networks`, and `PUT …/:id`, which replaces all of it. */
export const networkRequestSchema = z.strictObject({
  ...fields,
  description: fields.description.default(""),
  port_spec: fields.port_spec.default(DEFAULT_NETWORK_PORTS),
  scanner_id: fields.scanner_id.default(null),
  scanner_type: fields.scanner_type.default("masscan"),
  scan_protocol: fields.scan_protocol.default("tcp"),
  service_detection: fields.service_detection.default(false),
  rate: fields.rate.default(0),
  scan_timeout: fields.scan_timeout.default(DEFAULT_SCAN_TIMEOUT_SECONDS),
  port_timeout: fields.port_timeout.default(DEFAULT_PORT_TIMEOUT_MS),
});
export type NetworkRequest = z.output<typeof networkRequestSchema>;

/** `PATCH /api/networks/:id`; what is absent stays as it is. */
export const networkPatchSchema = z.strictObject(fields).partial();
export type NetworkPatch = z.output<typeof networkPatchSchema>;

export const networkViewSchema = z.object({
  id: idSchema,
  ...fields,
  port_spec: z.string(),
  is_ipv6: z.boolean(),
  subnet_id: idSchema,
  port_list_id: idSchema,
  template_id: idSchema,
  created_at: timestampSchema,
  updated_at: timestampSchema,
});
export type NetworkView = z.infer<typeof networkViewSchema>;

export const networkListSchema = z.object({
  networks: z.array(networkViewSchema),
  next_cursor: nextCursorSchema,
});
