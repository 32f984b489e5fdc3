/** Certificates and keys from files, read and understood before anything is started with them. */

import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import { errorMessage, UsageError } from "#shared/errors.ts";
import type { TlsIdentity } from "../server.ts";

/** @throws UsageError when a file cannot be read, is no PEM, or the two do not belong together */
export async function readTlsIdentity(certFile: string, keyFile: string): Promise<TlsIdentity> {
  const cert = await readPem("--tls-cert", certFile);
  const key = await readPem("--tls-key", keyFile);
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    const why = errorMessage(error);
    throw new UsageError("USAGE", `${certFile} and ${keyFile} are no certificate with its key: ${why}`);
  }
  return { cert, key };
}

/** @returns PEM text. @throws UsageError when the file cannot be read or does not begin with a certificate */
export async function readCaFile(file: string): Promise<string> {
  const ca = await readPem("--ca-file", file);
  if (!isCertificate(ca)) throw new UsageError("USAGE", `there is no PEM certificate in ${file}`);
  return ca;
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}

async function readPem(option: string, file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new UsageError("USAGE", `cannot read the file of ${option}: ${errorMessage(error)}`);
  }
}
