/** `GET /api/admin/scanner-acl`: from where scanners call, for firewalls. */

import { z } from "zod";
import { idSchema, scannerNameSchema } from "./fields.ts";
import { bindingModeSchema } from "./operator.ts";

export const aclFormatSchema = z.enum(["json", "nginx", "iptables", "cloudflare"]);
export type AclFormat = z.infer<typeof aclFormatSchema>;

export const aclQuerySchema = z.object({ format: aclFormatSchema.default("json") });

export const scannerAclSchema = z.object({
  /** Scanners that are bound to an address or a network. */
  allowed: z.array(
    z.object({
      scannerId: idSchema,
      name: scannerNameSchema,
      /** `203.0.113.5/32`, `2001:db8::/64` */
      network: z.string(),
      family: z.union([z.literal(4), z.literal(6)]),
    }),
  ),
  /** Scanners that no rule can be written for: not bound, not bound yet, or bound to an autonomous system. */
  unlisted: z.array(
    z.object({ scannerId: idSchema, name: scannerNameSchema, bindingMode: bindingModeSchema }),
  ),
});
export type ScannerAcl = z.infer<typeof scannerAclSchema>;

/** Items of a Cloudflare IP list, as its API takes them. */
export const cloudflareItemsSchema = z.array(z.object({ ip: z.string(), comment: z.string() }));
export type CloudflareItems = z.infer<typeof cloudflareItemsSchema>;
