/** Scanners by the thousand, written straight into the database as if each had been provisioned and registered. */

import { createSecret } from "../../control-plane/services/secrets.ts";
import { insertScanner, markRegistered, updateScanner } from "../../control-plane/store/scanners.ts";
import type { Session, Store } from "../../control-plane/store/store.ts";
import { API_KEY_PREFIX } from "#shared/protocol/scanner.ts";

const PER_TRANSACTION = 500;

export interface FleetScanner {
  readonly id: number;
  readonly name: string;
  readonly apiKey: string;
}

export async function provisionFleet(store: Store, count: number): Promise<FleetScanner[]> {
  const fleet: FleetScanner[] = [];
  while (fleet.length < count) {
    const upTo = Math.min(count, fleet.length + PER_TRANSACTION);
    await store.transaction(async (session) => {
      while (fleet.length < upTo) fleet.push(await provision(session, `load-${fleet.length + 1}`));
    });
  }
  return fleet;
}

async function provision(session: Session, name: string): Promise<FleetScanner> {
  const { text: apiKey, hash } = createSecret(API_KEY_PREFIX);
  const id = await insertScanner(session, {
    name,
    description: "",
    rate_limit: 0,
    binding_mode: "none",
    binding_value: null,
    created_by: "load",
  });
  await updateScanner(session, id, { api_key_hash: hash });
  await markRegistered(session, id);
  return { id, name, apiKey };
}
