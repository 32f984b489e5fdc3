/** The notice "these scanners have work": written where jobs become claimable, read by polls that wait. */

import { MAX_NOTICE_BYTES } from "./notices.ts";
import type { Session } from "./store.ts";

const MAX_ID_DIGITS = String(Number.MAX_SAFE_INTEGER).length;
const IDS_PER_NOTICE = Math.floor(MAX_NOTICE_BYTES / (MAX_ID_DIGITS + 1));

/** Wakes the polls of these scanners when the transaction is committed, whichever replica they wait at. */
export async function announceJobs(session: Session, scannerIds: Iterable<number>): Promise<void> {
  const ids = [...new Set(scannerIds)];
  for (let start = 0; start < ids.length; start += IDS_PER_NOTICE) {
    await session.notify("portolan_jobs", ids.slice(start, start + IDS_PER_NOTICE).join(","));
  }
}

/** The scanners that a notice names. */
export function parseJobNotice(payload: string): number[] {
  return payload.split(",").map(Number).filter(Number.isSafeInteger);
}
