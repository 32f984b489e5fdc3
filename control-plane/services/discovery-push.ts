/**
 * Addresses that scripts push into discovery lists. A push is all or nothing, and may be repeated: what is there
 * already is only noted as seen. Lists are named by id or by name.
 */

import type { Log } from "#shared/log.ts";
import { countAddresses, emptyAddressSet } from "#shared/net/address-set.ts";
import { formatAddress, parseAddress } from "#shared/net/address.ts";
import { excerpt } from "#shared/net/excerpt.ts";
import { parseTargets, probedAddresses } from "#shared/net/target-spec.ts";
import type { DiscoveryPushResponse, DiscoveryRemoval } from "#shared/protocol/discovery.ts";
import { MAX_ADDRESSES_PER_DISCOVERY_LIST } from "#shared/protocol/limits.ts";
import { findIdByName } from "../store/catalogue.ts";
import {
  deleteAddresses,
  deleteAddressesSeenBefore,
  type DiscoveryAddressRow,
  listAddresses,
  recountAddresses,
  upsertAddresses,
} from "../store/discovery-addresses.ts";
import { findDiscoveryList } from "../store/discovery-lists.ts";
import { readClock, type Session, type Store } from "../store/store.ts";
import { requireRow, writeCatalogue } from "./catalogue-rules.ts";
import { fieldError, readingField } from "./field-errors.ts";
import { type Page, pageOf } from "./page.ts";
import { refusal } from "./refusal.ts";

export class DiscoveryPush {
  private readonly deps: { readonly store: Store; readonly log: Log };

  constructor(store: Store, log: Log) {
    this.deps = { store, log };
  }

  /** @throws PortolanError NOT_FOUND, INVALID_TARGET naming the first wrong address, LIMIT_REACHED */
  async add(list: number | string, ips: readonly string[], actor: string): Promise<DiscoveryPushResponse> {
    const addresses = readAddresses(ips);
    return writeCatalogue(this.deps, actor, async (session) => {
      const id = await requireList(session, list);
      const nowMs = await readClock(session);
      const before = await recountAddresses(session, id);
      await upsertAddresses(session, id, addresses, nowMs);
      const after = await recountAddresses(session, id, nowMs);
      if (after > MAX_ADDRESSES_PER_DISCOVERY_LIST) {
        const most = `a list has at most ${MAX_ADDRESSES_PER_DISCOVERY_LIST} addresses`;
        throw refusal("LIMIT_REACHED", `${most}, and with these it would have ${after}; prune it first`, {
          limit: MAX_ADDRESSES_PER_DISCOVERY_LIST,
          count: before,
        });
      }
      const added = after - before;
      const result = { added, refreshed: addresses.length - added, addresses: after };
      return { result, entry: entryOf("discovery-list.pushed", id, result) };
    });
  }

  /** @throws PortolanError NOT_FOUND, INVALID_TARGET naming the first that is no address */
  async remove(list: number | string, ips: readonly string[], actor: string): Promise<DiscoveryRemoval> {
    const addresses = readAddresses(ips);
    return this.shrink(list, actor, "discovery-list.addresses-removed", (session, id) =>
      deleteAddresses(session, id, addresses),
    );
  }

  /** Removes what was last pushed before the time. @throws PortolanError NOT_FOUND */
  async prune(list: number | string, olderThan: string, actor: string): Promise<DiscoveryRemoval> {
    return this.shrink(list, actor, "discovery-list.pruned", (session, id) =>
      deleteAddressesSeenBefore(session, id, Date.parse(olderThan)),
    );
  }

  /** @throws PortolanError NOT_FOUND */
  async list(
    list: number | string,
    limit: number,
    after: number | undefined,
  ): Promise<Page<DiscoveryAddressRow>> {
    return this.deps.store.run(async (session) => {
      const id = await requireList(session, list);
      return pageOf(await listAddresses(session, id, { limit: limit + 1, after }), limit);
    });
  }

  private async shrink(
    list: number | string,
    actor: string,
    action: string,
    work: (session: Session, id: number) => Promise<number>,
  ): Promise<DiscoveryRemoval> {
    return writeCatalogue(this.deps, actor, async (session) => {
      const id = await requireList(session, list);
      const removed = await work(session, id);
      const result = { removed, addresses: await recountAddresses(session, id) };
      return { result, entry: entryOf(action, id, result) };
    });
  }
}

function entryOf(action: string, id: number, detail: Readonly<Record<string, unknown>>) {
  return { action, object: `discovery-list:${id}`, detail };
}

async function requireList(session: Session, list: number | string): Promise<number> {
  if (typeof list === "number") {
    return requireRow("discovery_lists", list, await findDiscoveryList(session, list)).id;
  }
  const id = await findIdByName(session, "discovery_lists", list);
  if (id === undefined) throw refusal("NOT_FOUND", `no discovery list '${list}'`);
  return id;
}

/** Canonical texts, each once. */
function readAddresses(ips: readonly string[]): string[] {
  return [...new Set(ips.map((ip, i) => readAddress(ip, `ips.${i}`)))];
}

function readAddress(text: string, field: string): string {
  const address = parseAddress(text);
  if (address === undefined)
    throw fieldError("INVALID_TARGET", field, text, `'${excerpt(text)}' is no IP address`);
  const canonical = formatAddress(address);
  const probed = probedAddresses(
    readingField(field, () => parseTargets([canonical])),
    emptyAddressSet,
  );
  if (countAddresses(probed) === 0) {
    throw fieldError("INVALID_TARGET", field, text, `'${canonical}' is no address that may be probed`);
  }
  return canonical;
}
