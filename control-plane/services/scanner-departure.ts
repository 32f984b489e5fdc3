/** What becomes of the jobs of a scanner that is deleted: others of its vantage point do them, or they fail. */

import { leaveQueues, listCandidates, releaseJob } from "../store/job-pool.ts";
import { endJob, lockJob } from "../store/jobs.ts";
import { lockScan } from "../store/scans.ts";
import type { Session } from "../store/store.ts";
import { settleScan } from "./scan-outcome.ts";

export async function leaveJobs(session: Session, scannerId: number): Promise<void> {
  for (const { id, scan_id } of await leaveQueues(session, scannerId)) {
    await lockScan(session, scan_id);
    const job = await lockJob(session, id);
    if (job === undefined || job.ended_at !== null) continue;
    const [other] = await listCandidates(session, [id]);
    if (other === undefined) {
      await endJob(session, id, { status: "failed", errorMessage: "the scanner was deleted" });
      await settleScan(session, scan_id);
    } else if (job.status !== "pending" && job.scanner_id === scannerId) {
      await releaseJob(session, id, null);
    }
  }
}
