/**
 * Networks that lose packets: the scan says how much it lost and how complete it is, and is right about both. The truth
 * is counted, not assumed: what the lab dropped, and what was found of what is there. 262,144 ports answer, so that
 * chance moves the estimate by less than a fifth of what is allowed.
 */

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { BLOCK, type BlockFaults, OPEN_PORT } from "../lab/block.ts";
import { type BlockLab, createBlockLab } from "../lab/block-lab.ts";
import { E2E_TIMEOUT_MS } from "../testing/timeouts.ts";
import { scanCommand, scanOn, temporaryFolder } from "./agent-scan.ts";

setDefaultTimeout(E2E_TIMEOUT_MS);

const PORTS = { spec: `${OPEN_PORT - 2}-${OPEN_PORT + 1}`, count: 4 } as const;
const ANSWERING = BLOCK.addresses * PORTS.count;
/** One percentage point. */
const TOLERANCE = 0.01;

let lab: BlockLab;

beforeAll(async () => {
  lab = await createBlockLab();
});

afterAll(async () => {
  await lab.close();
});

describe("the estimate is right where", () => {
  test.each<[string, BlockFaults]>([
    ["nothing is lost", {}],
    ["1 % of the probes is lost", { probeLossPercent: 1 }],
    ["5 % of the probes are lost", { probeLossPercent: 5 }],
    ["20 % of the probes are lost", { probeLossPercent: 20 }],
    ["5 % of the answers are lost", { replyLossPercent: 5 }],
    ["5 % of both are lost", { probeLossPercent: 5, replyLossPercent: 5 }],
  ])("%s", async (_, faults) => {
    lab.setFaults(faults);
    const { summary } = await scanOn(lab, `${BLOCK.network} -p ${PORTS.spec} --rate 60000 --retries 1`);
    expect(summary).toMatchObject({ partial: false, probesPlanned: ANSWERING });

    const { loss = -1, completeness = -1, missedOpen = -1 } = summary.lossEstimate ?? {};
    const probesLost = lab.counted("syns_lost") / lab.counted("syns");
    const answersLost = lab.counted("answers_lost") / lab.counted("answers");
    const trueLoss = 1 - (1 - probesLost) * (1 - answersLost);
    expect(Math.abs(loss - trueLoss)).toBeLessThan(TOLERANCE);

    const found = (summary.open + summary.closed) / ANSWERING;
    expect(Math.abs(completeness - found)).toBeLessThan(TOLERANCE);
    const missed = BLOCK.addresses - summary.open;
    expect(Math.abs(missedOpen - missed)).toBeLessThan(BLOCK.addresses * TOLERANCE);
  });
});

test("--rate auto finds the rate that a bottleneck lets through", async () => {
  const bottleneckPps = 20_000;
  lab.setFaults({ policedPps: bottleneckPps });
  using folder = temporaryFolder();
  const words = `${BLOCK.network} -p 1-1000 --rate auto --retries 0 --quiet`;
  const child = Bun.spawn(lab.onScanner(scanCommand(words)), {
    cwd: folder.path,
    stdout: "ignore",
    stderr: "inherit",
  });
  try {
    await Bun.sleep(15_000);
    // The middle one of many seconds: a rate that is searched for goes a little too far now and then, to see.
    const rates: number[] = [];
    for (let second = 0; second < 15; second++) {
      const [before, startMs] = [lab.counted("syns"), performance.now()];
      await Bun.sleep(1_000);
      rates.push(((lab.counted("syns") - before) * 1_000) / (performance.now() - startMs));
    }
    const sentPps = rates.toSorted((a, b) => a - b)[7] ?? 0;
    expect(sentPps).toBeGreaterThan(bottleneckPps * 0.8);
    expect(sentPps).toBeLessThan(bottleneckPps * 1.2);
  } finally {
    child.kill("SIGINT");
    await child.exited;
  }
});
