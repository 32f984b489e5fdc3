/** Files to download, with their digest and signature. */

import { z } from "zod";
import type { AgentBinary } from "../services/agent-binaries.ts";

export const fileHeaders = z.object({
  "X-Portolan-SHA256": z.string().describe("Of the file, hexadecimal"),
  "X-Portolan-Signature": z.string().describe("Ed25519 over the file, base64; where there is one").optional(),
  "Content-Disposition": z.string().describe("The file's name"),
});

export function fileAnswer(file: AgentBinary, contentType: string): Response {
  const headers = new Headers({
    "Content-Type": contentType,
    "Content-Length": String(file.sizeBytes),
    "Content-Disposition": `attachment; filename="${file.name}"`,
    "X-Portolan-SHA256": file.sha256,
  });
  if (file.signature !== undefined) headers.set("X-Portolan-Signature", file.signature);
  return new Response(Bun.file(file.path), { headers });
}
