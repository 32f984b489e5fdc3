/** What a template expects to find: the baseline that a scan's verdicts are told by. */

import type { Log } from "#shared/log.ts";
import { formatAddress, parseAddress } from "#shared/net/address.ts";
import { excerpt } from "#shared/net/excerpt.ts";
import { MAX_EXPECTED_RESULTS } from "#shared/protocol/limits.ts";
import type { PortState } from "#shared/protocol/port-state.ts";
import type { ExpectedResultRequest, ExpectedResultView } from "#shared/protocol/scan-templates.ts";
import {
  changeExpectedResult,
  countExpectedResults,
  deleteExpectedResult,
  deleteExpectedResults,
  type ExpectedResultRow,
  listExpectedResults,
  type NewExpectedResult,
  upsertExpectedResults,
} from "../store/expected-results.ts";
import { findScanTemplate } from "../store/scan-templates.ts";
import type { Session, Store } from "../store/store.ts";
import { requireRow, writeCatalogue, type Written } from "./catalogue-rules.ts";
import { readExpectedCsv } from "./expected-csv.ts";
import { fieldError } from "./field-errors.ts";
import { type Page, pageOf } from "./page.ts";
import { refusal } from "./refusal.ts";

/** `add` keeps the others, and changes the state of those that are there; `replace` drops all others. */
export type ExpectedMode = "add" | "replace";

export class ExpectedResults {
  private readonly deps: { readonly store: Store; readonly log: Log };

  constructor(store: Store, log: Log) {
    this.deps = { store, log };
  }

  /** @throws PortolanError NOT_FOUND */
  async list(templateId: number, limit: number, after?: number): Promise<Page<ExpectedResultView>> {
    return this.deps.store.run(async (session) => {
      await requireTemplate(session, templateId);
      const page = pageOf(await listExpectedResults(session, templateId, { limit: limit + 1, after }), limit);
      return { ...page, rows: page.rows.map(viewResult) };
    });
  }

  /**
   * @returns how many the template has then
   * @throws PortolanError NOT_FOUND, INVALID_REQUEST, LIMIT_REACHED
   */
  async put(
    templateId: number,
    results: readonly ExpectedResultRequest[],
    mode: ExpectedMode,
    actor: string,
  ): Promise<number> {
    const rows = readResults(results);
    return writeCatalogue(this.deps, actor, async (session) => {
      await requireTemplate(session, templateId);
      if (mode === "replace") await deleteExpectedResults(session, templateId);
      await upsertExpectedResults(session, templateId, rows);
      const written = await count(session, templateId, mode === "replace" ? "replaced" : "added");
      if (written.result > MAX_EXPECTED_RESULTS) {
        const most = `a template has at most ${MAX_EXPECTED_RESULTS} expected results`;
        throw refusal("LIMIT_REACHED", `${most}; with these it would have ${written.result}`, {
          limit: MAX_EXPECTED_RESULTS,
        });
      }
      return written;
    });
  }

  /** As `put`, from CSV. @throws PortolanError INVALID_REQUEST naming the line as well */
  async importCsv(templateId: number, csv: string, mode: ExpectedMode, actor: string): Promise<number> {
    return this.put(templateId, readExpectedCsv(csv), mode, actor);
  }

  /** @throws PortolanError NOT_FOUND */
  async change(templateId: number, id: number, state: PortState, actor: string): Promise<ExpectedResultView> {
    return writeCatalogue(this.deps, actor, async (session) => {
      await requireTemplate(session, templateId);
      const row = await changeExpectedResult(session, templateId, id, state);
      if (row === undefined) throw noResult(templateId, id);
      const result = viewResult(row);
      return { result, entry: entryOf("changed", templateId, { ...result }) };
    });
  }

  /** @returns how many are left. @throws PortolanError NOT_FOUND */
  async delete(templateId: number, id: number, actor: string): Promise<number> {
    return writeCatalogue(this.deps, actor, async (session) => {
      await requireTemplate(session, templateId);
      if (!(await deleteExpectedResult(session, templateId, id))) throw noResult(templateId, id);
      return count(session, templateId, "removed");
    });
  }

  /** @throws PortolanError NOT_FOUND */
  async deleteAll(templateId: number, actor: string): Promise<void> {
    await this.put(templateId, [], "replace", actor);
  }
}

function viewResult({ id, address, protocol, port, state }: ExpectedResultRow): ExpectedResultView {
  return { id, address, protocol, port, state };
}

async function requireTemplate(session: Session, id: number): Promise<void> {
  requireRow("scan_templates", id, await findScanTemplate(session, id));
}

function noResult(templateId: number, id: number) {
  return refusal("NOT_FOUND", `scan template ${templateId} has no expected result ${id}`);
}

async function count(session: Session, templateId: number, what: string): Promise<Written<number>> {
  const result = (await countExpectedResults(session, [templateId])).get(templateId) ?? 0;
  return { result, entry: entryOf(what, templateId, { expectedResults: result }) };
}

function entryOf(what: string, templateId: number, detail: Readonly<Record<string, unknown>>) {
  return { action: `scan-template.expected-${what}`, object: `scan-template:${templateId}`, detail };
}

/** Addresses in their canonical text. Of several that speak of one port, the last counts. */
function readResults(results: readonly ExpectedResultRequest[]): NewExpectedResult[] {
  const byEndpoint = new Map<string, NewExpectedResult>();
  for (const [i, { address: text, protocol, port, state }] of results.entries()) {
    const parsed = parseAddress(text);
    if (parsed === undefined) {
      throw fieldError("INVALID_TARGET", `results.${i}.address`, text, `'${excerpt(text)}' is no IP address`);
    }
    const address = formatAddress(parsed);
    byEndpoint.set(`${address} ${protocol} ${port}`, { address, protocol, port, state });
  }
  return [...byEndpoint.values()];
}
