/** The compiled agent scans the lab: real packets between namespaces, compared with what is really there. */

import { afterAll, beforeAll, expect, test, setDefaultTimeout } from "bun:test";
import { scanSummarySchema, type ScanSummary } from "#shared/protocol/job.ts";
import { LAB_HOSTS, LAB_LINK } from "../lab/hosts.ts";
import { createLab, type Lab } from "../lab/lab.ts";
import { execute, type Outcome } from "../processes/command.ts";
import { waitFor } from "../processes/service.ts";
import { NOBODY } from "../testing/nobody.ts";
import { AGENT } from "../testing/programs.ts";
import { E2E_TIMEOUT_MS, WAIT_TIMEOUT_MS } from "../testing/timeouts.ts";

setDefaultTimeout(E2E_TIMEOUT_MS);

let lab: Lab;

beforeAll(async () => {
  lab = await createLab();
});

afterAll(async () => {
  await lab.close();
});

interface Run extends Outcome {
  /** `address port state`, sorted. */
  readonly ports: readonly string[];
  readonly reasons: ReadonlyMap<string, string>;
  readonly summary: ScanSummary;
}

async function scan(words: string, as: readonly string[] = []): Promise<Run> {
  const outcome = await execute(lab.onScanner([...as, AGENT, "scan", ...words.split(" ")]));
  const lines: unknown[] = outcome.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const records = lines.slice(0, -1).map((line) => recordOf(line));
  return {
    ...outcome,
    ports: records.map(({ address, port, state }) => `${address} ${port} ${state}`).toSorted(),
    reasons: new Map(records.map(({ address, port, reason }) => [`${address} ${port}`, reason])),
    summary: scanSummarySchema.parse(lines.at(-1)),
  };
}

interface LineRecord {
  readonly address: string;
  readonly port: number;
  readonly state: string;
  readonly reason: string;
}

function recordOf(line: unknown): LineRecord {
  const isRecord = (value: unknown): value is LineRecord =>
    typeof value === "object" && value !== null && "address" in value && "port" in value && "state" in value;
  if (!isRecord(line)) throw new Error(`not a port record: ${JSON.stringify(line)}`);
  return line;
}

const ALL_OPEN = LAB_HOSTS.flatMap(({ address, open }) =>
  open.map((port) => `${address} ${port} open`),
).toSorted();

test("a /24 with 1,000 ports: every open port, nothing else, and a summary that adds up", async () => {
  const { ports, summary, stderr, exitCode } = await scan(`${LAB_LINK.network} -p 1-1000 --rate 20000`);
  expect(ports).toEqual(ALL_OPEN);
  expect(exitCode).toBe(0);
  expect(summary).toMatchObject({
    partial: false,
    ended: "done",
    coverage: 1,
    // The network's broadcast address is no target.
    addresses: 255,
    ports: 1000,
    probesPlanned: 255_000,
    open: ALL_OPEN.length,
    kernelDrops: 0,
    sendErrors: 0,
    duplicates: 0,
  });
  expect(summary.open + summary.closed + summary.filtered).toBe(255_000);
  // The five hosts and the scanner's own address answer ARP or are local; nobody else is there.
  expect(summary.hostsUnreachable).toBe(255 - LAB_HOSTS.length - 1);
  expect(stderr).toContain("10.213.7.255");
  for (const word of ["sent", "received", "drops", "duration", "coverage"]) expect(stderr).toContain(word);
});

test("open, closed and filtered are told apart on every kind of host", async () => {
  const ports = [21, 22, 25, 53, 80];
  const { reasons, ports: found } = await scan(
    `${LAB_HOSTS.map(({ address }) => address).join(",")} -p ${ports.join(",")} --rate max --show all`,
  );
  expect(found).toEqual(
    LAB_HOSTS.flatMap((host) =>
      ports.map((port) => {
        const silent = host.dropped.includes(port) || host.others !== "reset";
        const state = host.open.includes(port) ? "open" : silent ? "filtered" : "closed";
        return `${host.address} ${port} ${state}`;
      }),
    ).toSorted(),
  );
  expect(reasons.get("10.213.7.10 22")).toBe("syn-ack");
  expect(reasons.get("10.213.7.10 21")).toBe("reset");
  expect(reasons.get("10.213.7.10 25")).toBe("no-response");
  expect(reasons.get("10.213.7.20 21")).toBe("admin-prohibited");
});

test("every probe goes over the wire exactly once when nothing is asked again", async () => {
  const before = lab.synsReceived();
  const { summary } = await scan("10.213.7.10 -p 1-5000 --rate 20000 --retries 0");
  expect(summary.packetsSent).toBe(5_000);
  expect(lab.synsReceived() - before).toBe(5_000);
});

test("a second pass asks again only what was silent", async () => {
  const { summary } = await scan("10.213.7.10 -p 20-29 --rate max --retries 2 --port-timeout 200");
  // Nine of the ten ports answer at once; one is dropped and asked three times.
  expect(summary.packetsSent).toBe(10 + 2);
  expect(summary.filtered).toBe(1);
});

const POWERLESS = [...NOBODY, "--no-new-privs"];

test("an ordinary user scans by connections, and is told so", async () => {
  const { ports, summary, stderr } = await scan("10.213.7.10-11 -p 1-1000 --rate 20000", POWERLESS);
  expect(ports).toEqual(ALL_OPEN.filter((line) => /^10\.213\.7\.1[01] /.test(line)));
  expect(summary.link).toBe("connect");
  expect(stderr).toContain("CAP_NET_RAW");
});

test("CAP_NET_RAW alone is enough for raw packets", async () => {
  const capable = [...POWERLESS, "--inh-caps", "-all,+net_raw", "--ambient-caps", "-all,+net_raw"];
  const { ports, summary } = await scan("10.213.7.10-11 -p 1-1000 --rate 20000", capable);
  expect(ports).toEqual(ALL_OPEN.filter((line) => /^10\.213\.7\.1[01] /.test(line)));
  expect(summary.link).toBe("packet");
});

test("the kernel may route: the raw link finds the same", async () => {
  const { ports, summary } = await scan("10.213.7.10-11 -p 1-1000 --rate 20000 --link raw");
  expect(ports).toEqual(ALL_OPEN.filter((line) => /^10\.213\.7\.1[01] /.test(line)));
  expect(summary.link).toBe("raw");
});

test.each(["raw", "connect"])(
  "a broadcast address is not probed through the %s link either",
  async (link) => {
    const { summary, stderr } = await scan(
      `10.213.7.254-255 -p 80 --retries 0 --port-timeout 100 --link ${link}`,
    );
    expect(summary).toMatchObject({ addresses: 1, sendErrors: 0, partial: false });
    expect(stderr).toContain("10.213.7.255");
  },
);

test("loopback is scanned through the raw link", async () => {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
  try {
    const { exitCode, stdout } = await execute([AGENT, "scan", "127.0.0.1", "-p", String(listener.port)]);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout.split("\n")[0] ?? "")).toMatchObject({ port: listener.port, state: "open" });
  } finally {
    listener.stop(true);
  }
});

test("a reader that takes its time costs no answer: the scan waits for it", async () => {
  const hosts = "10.213.7.10,10.213.7.11,10.213.7.40";
  const before = lab.synsReceived();
  const words = ["scan", hosts, "-p", "1-40000", "--rate", "max", "--retries", "3", "--show", "closed"];
  const child = Bun.spawn(lab.onScanner([AGENT, ...words]), { stdout: "pipe", stderr: "ignore" });
  // More than the pipe and the ring together hold, while nobody reads.
  await waitFor("the reader to be behind", 60_000, [], async () =>
    lab.synsReceived() - before > 30_000 ? true : undefined,
  );
  const lines = (await new Response(child.stdout).text()).trim().split("\n");
  const summary = scanSummarySchema.parse(JSON.parse(lines.at(-1) ?? ""));
  expect(summary).toMatchObject({ probesPlanned: 120_000, partial: false, kernelDrops: 0 });
  expect(summary.open + summary.closed + summary.filtered).toBe(120_000);
  expect(lines.length - 1).toBe(summary.closed);
  // One port of these is dropped by its host.
  expect(summary.filtered).toBe(1);
});

test("a scan that is interrupted says how far it came, and calls itself partial", async () => {
  const child = Bun.spawn(lab.onScanner([AGENT, "scan", "10.213.7.10", "-p", "1-60000", "--rate", "1000"]), {
    stdout: "pipe",
    stderr: "ignore",
  });
  const output = new Response(child.stdout).text();
  const before = lab.synsReceived();
  await waitFor("the first probes", WAIT_TIMEOUT_MS, [], async () =>
    lab.synsReceived() > before ? true : undefined,
  );
  child.kill("SIGINT");
  expect(await child.exited).toBe(130);
  const summary = scanSummarySchema.parse(JSON.parse((await output).trim().split("\n").at(-1) ?? ""));
  expect(summary).toMatchObject({ partial: true, ended: "interrupted", probesPlanned: 60_000 });
  expect(summary.probesCovered).toBeLessThan(60_000);
});

test("a scan that reaches its time limit is partial too", async () => {
  const { summary, exitCode } = await scan("10.213.7.10 -p 1-60000 --rate 1000 --max-runtime 0.5");
  expect(summary).toMatchObject({ partial: true, ended: "timed-out" });
  expect(summary.coverage).toBeLessThan(1);
  expect(exitCode).toBe(0);
});
