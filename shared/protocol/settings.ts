/** `/api/config/settings`: what operators set while the control plane runs; it goes before flags and environment. */

import { z } from "zod";
import { agentVersionSchema } from "./fields.ts";

const MAX_URL_LENGTH = 2_000;

function httpUrl(text: string): URL | undefined {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) ? url : undefined;
}

/** A URL that others may be appended to. */
function isPlainUrl(text: string): boolean {
  const url = httpUrl(text);
  return url !== undefined && `${url.search}${url.hash}${url.username}${url.password}` === "";
}

/** Under which hosts reach the control plane; read into a text without a slash at the end. */
export const publicUrlSchema = z
  .string()
  .max(MAX_URL_LENGTH)
  .refine(isPlainUrl, "must be like https://portolan.example.org, without credentials, query or fragment")
  .overwrite((text) => httpUrl(text)?.href.replace(/\/+$/, "") ?? text);

/** Called every minute while all is well: whoever watches it raises the alarm when the calls stop. */
export const deadManUrlSchema = z
  .string()
  .max(MAX_URL_LENGTH)
  .refine((text) => httpUrl(text) !== undefined, "must be a URL that begins with https:// or http://");

export const settingsSchema = z.object({
  publicUrl: publicUrlSchema.nullable(),
  deadManUrl: deadManUrlSchema.nullable(),
  /** Agents older than this are told to upgrade. */
  minimumAgentVersion: agentVersionSchema.nullable(),
});
export type Settings = z.infer<typeof settingsSchema>;

export const settingsViewSchema = z.object({
  /** As set here; null where nothing is. */
  settings: settingsSchema,
  /** What holds: the setting, else the flag or the environment. A null publicUrl: the Host header of each request. */
  inForce: settingsSchema,
});
export type SettingsView = z.infer<typeof settingsViewSchema>;

/** `PUT /api/config/settings`; what is absent stays as it is, null removes a setting. */
export const settingsUpdateRequestSchema = z.strictObject(settingsSchema.partial().shape);
export type SettingsUpdateRequest = z.infer<typeof settingsUpdateRequestSchema>;
