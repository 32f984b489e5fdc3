/** How results look to operators. */

import { formatAddressBytes } from "#shared/net/address-bytes.ts";
import type { SuspicionReason } from "#shared/protocol/endpoints.ts";
import type { ResultView } from "#shared/protocol/operator.ts";
import { formatKey, protocolOf, stateOf } from "../store/endpoint-key.ts";
import type { ResultRow } from "../store/results.ts";
import { isoTime } from "./time.ts";

/** Fields that nothing is known about are absent, as on the way in. */
export function resultView(row: ResultRow, vantage: string, suspicious?: SuspicionReason): ResultView {
  return {
    id: formatKey(row),
    vantage,
    scannerId: row.scanner_id,
    address: formatAddressBytes(row.address),
    port: row.port,
    protocol: protocolOf(row.protocol),
    state: stateOf(row.state),
    reason: row.reason,
    ttl: row.ttl ?? undefined,
    service: row.service ?? undefined,
    product: row.product ?? undefined,
    version: row.version ?? undefined,
    cpe: row.cpe ?? undefined,
    banner: row.banner ?? undefined,
    macAddress: row.mac_address ?? undefined,
    macVendor: row.mac_vendor ?? undefined,
    firstSeen: isoTime(row.first_seen),
    lastSeen: isoTime(row.last_seen),
    ...(suspicious === undefined ? {} : { suspicious }),
  };
}
