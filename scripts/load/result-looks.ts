/** How long it takes to look at a scan of millions of results: pages, filters, and how it differs from another one. */

import { sql } from "kysely";
import { createSecret } from "../../control-plane/services/secrets.ts";
import { insertOperatorToken } from "../../control-plane/store/operator-tokens.ts";
import type { Session, Store } from "../../control-plane/store/store.ts";
import type { FleetScanner } from "./fleet.ts";
import { createScan } from "./result-load.ts";

const PORTS = 1_000;
const TIMES = 3;

/** @returns a line for each kind of look: the slowest of a few tries */
export async function lookAt(
  store: Store,
  url: string,
  scanner: FleetScanner,
  rows: number,
): Promise<string[]> {
  const scans: number[] = [];
  for (let i = 0; i < 2; i++) {
    const scanId = await createScan(store, [scanner], rows);
    const startMs = performance.now();
    await store.transaction((session) => fill(session, scanId, scanner.id, rows, i));
    scans.push(scanId);
    process.stderr.write(
      `filled scan ${scanId} in ${((performance.now() - startMs) / 1_000).toFixed(0)} s\n`,
    );
  }
  const [scan = 0, other = 0] = scans;
  const { text: token, hash } = createSecret("ptl_op_");
  await store.run((session) =>
    insertOperatorToken(session, { name: "load", hash, role: "viewer", createdBy: "load" }),
  );
  const vantage = await store.run(({ db }) =>
    db.selectFrom("jobs").select("vantage_id").where("scan_id", "=", scan).executeTakeFirstOrThrow(),
  );
  const middle = Math.floor(rows / 2 / PORTS);
  const deep = `${vantage.vantage_id}.0b${hexByte(middle >> 16)}${hexByte(middle >> 8)}${hexByte(middle)}.6.1`;
  const results = `/api/scans/${scan}/results?limit=100`;
  const looks: Readonly<Record<string, string>> = {
    "first page": results,
    "page in the middle": `${results}&cursor=${deep}`,
    "state=open (1 in 100)": `${results}&state=open`,
    "state=filtered (none)": `${results}&state=filtered`,
    "protocol=udp (none)": `${results}&protocol=udp`,
    "port=500": `${results}&port=500`,
    "port=7777 (none)": `${results}&port=7777`,
    "address=11.0.19.136": `${results}&address=11.0.19.136`,
    scannerId: `${results}&scannerId=${scanner.id}`,
    "scannerId (none)": `${results}&scannerId=999999`,
    "diff, first page": `/api/scans/${scan}/diff?with=${other}&limit=100`,
    "diff, page in the middle": `/api/scans/${scan}/diff?with=${other}&limit=100&cursor=${deep}`,
    "diff with itself (nothing to find)": `/api/scans/${scan}/diff?with=${scan}&limit=100`,
    "list of scans": "/api/scans",
  };
  const lines: string[] = [];
  for (const [name, path] of Object.entries(looks))
    lines.push(`${name.padEnd(36)} ${await timed(url + path, token)}`);
  return lines;
}

async function timed(address: string, token: string): Promise<string> {
  let worstMs = 0;
  let said = "";
  for (let time = 0; time < TIMES; time++) {
    const startMs = performance.now();
    const response = await fetch(address, { headers: { authorization: `Bearer ${token}` } });
    const body: unknown = await response.json();
    worstMs = Math.max(worstMs, performance.now() - startMs);
    if (response.status !== 200) throw new Error(`${address}: ${response.status} ${JSON.stringify(body)}`);
    said = describe(body);
  }
  return `${worstMs.toFixed(0).padStart(5)} ms  ${said}`;
}

function describe(body: unknown): string {
  if (typeof body !== "object" || body === null) return "";
  const rows = Object.values(body).find((value) => Array.isArray(value))?.length ?? 0;
  return `${rows} rows${"nextCursor" in body && body.nextCursor !== null ? ", more follow" : ""}`;
}

function hexByte(value: number): string {
  return (value & 255).toString(16).padStart(2, "0");
}

/** Results as if they had been delivered, made by the database itself. In the second scan one port in 50,000 differs. */
async function fill(
  { db, dialect }: Session,
  scanId: number,
  scannerId: number,
  rows: number,
  turn: number,
): Promise<void> {
  const series =
    dialect.kind === "sqlite"
      ? sql`(with recursive series(n) as (select 0 union all select n + 1 from series where n < ${sql.lit(rows - 1)})
          select n from series) as series`
      : sql`generate_series(0, ${sql.lit(rows - 1)}) as series(n)`;
  const host = sql`(n / ${sql.lit(PORTS)})`;
  const address =
    dialect.kind === "sqlite"
      ? sql`unhex(printf('0b%06x', ${host}))`
      : sql`decode('0b' || lpad(to_hex(${host}), 6, '0'), 'hex')`;
  const isOpen = sql`(n % 100 = 0) <> (n % 50000 = 7 and ${sql.lit(turn)} = 1)`;
  if (dialect.kind === "postgres") await sql`set local statement_timeout = 0`.execute(db);
  await sql`insert into results
    (at, scan_id, vantage_id, address, protocol, port, scanner_id, state, reason, ttl, first_seen, last_seen)
    select scans.created_at, scans.id, jobs.vantage_id, ${address}, 6, 1 + n % ${sql.lit(PORTS)}, ${sql.lit(scannerId)},
      case when ${isOpen} then 3 else 2 end, case when ${isOpen} then 'syn-ack' else 'reset' end, 64,
      scans.created_at, scans.created_at
    from ${series}, scans join jobs on jobs.scan_id = scans.id where scans.id = ${sql.lit(scanId)}`.execute(
    db,
  );
  await sql`update jobs set stored_results = ${sql.lit(rows)}, status = 'completed', ended_at = created_at
    where scan_id = ${sql.lit(scanId)}`.execute(db);
  await sql`update scans set status = 'completed', ended_at = created_at where id = ${sql.lit(scanId)}`.execute(
    db,
  );
}
