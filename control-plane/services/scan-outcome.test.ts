import { expect, test } from "bun:test";
import type { JobStatus } from "#shared/protocol/job.ts";
import { MAX_ERROR_LENGTH } from "#shared/protocol/limits.ts";
import { scanOutcome } from "./scan-outcome.ts";

function jobs(...statuses: JobStatus[]) {
  return statuses.map((status, i) => ({
    status,
    scanner_name: `s${i}`,
    error_message: status === "failed" ? "no route" : null,
  }));
}

test.each([
  ["all completed", jobs("completed", "completed"), false, { status: "completed", errorMessage: null }],
  [
    "all completed before the cancel reached them",
    jobs("completed", "completed"),
    true,
    { status: "completed", errorMessage: null },
  ],
  ["one cancelled", jobs("completed", "cancelled"), true, { status: "cancelled", errorMessage: null }],
  [
    "one failed after the cancel",
    jobs("completed", "failed"),
    true,
    { status: "cancelled", errorMessage: null },
  ],
  ["one failed", jobs("completed", "failed"), false, { status: "failed", errorMessage: "s1: no route" }],
  [
    "one failed, one given up by its scanner",
    jobs("failed", "cancelled"),
    false,
    { status: "failed", errorMessage: "s0: no route; s1: cancelled" },
  ],
] as const)("jobs: %s", (_, ended, isCancelRequested, outcome) => {
  expect(scanOutcome(ended, isCancelRequested)).toEqual(outcome);
});

test("the reasons of a thousand jobs fit into the message", () => {
  const { errorMessage } = scanOutcome(
    jobs(...Array.from({ length: 1_000 }, () => "failed" as const)),
    false,
  );
  expect(errorMessage).toHaveLength(MAX_ERROR_LENGTH);
});
