/** Expected results as CSV: `address,protocol,port,state`, with these names in the first line or without it. */

import { z } from "zod";
import { parseAddress } from "#shared/net/address.ts";
import { excerpt } from "#shared/net/excerpt.ts";
import { protocolSchema } from "#shared/protocol/fields.ts";
import { PORT_STATES } from "#shared/protocol/port-state.ts";
import { MAX_EXPECTED_RESULTS_PER_CALL } from "#shared/protocol/limits.ts";
import type { ExpectedResultRequest } from "#shared/protocol/scan-templates.ts";
import { fieldError } from "./field-errors.ts";

const COLUMNS = ["address", "protocol", "port", "state"] as const;
const HEADER = COLUMNS.join(",");

const stateSchema = z.enum(PORT_STATES);
const portSchema = z.coerce.number().int().min(1).max(65_535);

/** @throws PortolanError INVALID_REQUEST or INVALID_TARGET, naming the line and the word that is wrong */
export function readExpectedCsv(text: string): ExpectedResultRequest[] {
  const results: ExpectedResultRequest[] = [];
  // Spreadsheets begin the file with a byte order mark.
  for (const [i, line] of text
    .replace(/^\u{feff}/u, "")
    .split(/\r?\n/)
    .entries()) {
    const words = line.split(",").map(unquoted);
    const isHeader = results.length === 0 && words.join(",").toLowerCase() === HEADER;
    if (line.trim() === "" || isHeader) continue;
    if (results.length === MAX_EXPECTED_RESULTS_PER_CALL) {
      const why = `at most ${MAX_EXPECTED_RESULTS_PER_CALL} results fit into one call`;
      throw fieldError("INVALID_REQUEST", `line ${i + 1}`, line, why);
    }
    results.push(readLine(words, line, `line ${i + 1}`));
  }
  return results;
}

function readLine(words: readonly string[], line: string, field: string): ExpectedResultRequest {
  const [address = "", protocolWord = "", portWord = "", stateWord = ""] = words;
  if (words.length !== COLUMNS.length) {
    throw fieldError("INVALID_REQUEST", field, line, `expected ${COLUMNS.length} values: ${HEADER}`);
  }
  if (parseAddress(address) === undefined) {
    throw fieldError("INVALID_TARGET", field, address, `'${excerpt(address)}' is no IP address`);
  }
  const protocol = protocolSchema.safeParse(protocolWord.toLowerCase());
  if (!protocol.success) {
    throw fieldError("INVALID_REQUEST", field, protocolWord, "the protocol must be tcp or udp");
  }
  const port = portSchema.safeParse(portWord);
  if (!port.success) throw fieldError("INVALID_REQUEST", field, portWord, "the port must be 1-65535");
  const state = stateSchema.safeParse(stateWord.toLowerCase());
  if (!state.success) {
    const states = PORT_STATES.join(", ");
    throw fieldError("INVALID_REQUEST", field, stateWord, `the state must be one of ${states}`);
  }
  return { address, protocol: protocol.data, port: port.data, state: state.data };
}

function unquoted(word: string): string {
  const text = word.trim();
  return /^".*"$/.test(text) ? text.slice(1, -1).trim() : text;
}
