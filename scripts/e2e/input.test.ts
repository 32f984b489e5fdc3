/** Bad input: one line that says what is wrong, exit code 2, and nothing started. */

import { afterAll, beforeAll, describe, expect, test, setDefaultTimeout } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execute } from "../processes/command.ts";
import { NOBODY } from "../testing/nobody.ts";
import { AGENT, CONTROL } from "../testing/programs.ts";
import { E2E_TIMEOUT_MS } from "../testing/timeouts.ts";

setDefaultTimeout(E2E_TIMEOUT_MS);

let folder: string;
/** A port of this machine on which nothing listens. */
let deadServer: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "portolan-input-"));
  const probe = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
  deadServer = `http://127.0.0.1:${probe.port}`;
  probe.stop();
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function expectRefusal(
  command: readonly string[],
  env: Readonly<Record<string, string>>,
  ...says: readonly string[]
): Promise<void> {
  const { exitCode, stdout, stderr } = await execute(command, { envBase: "clean", env });
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
  expect(stderr.trimEnd().split("\n")).toHaveLength(1);
  for (const word of says) expect(stderr).toContain(word);
}

describe("scan", () => {
  test.each([
    ["10.0.0.0/33 -p 80", "10.0.0.0/33"],
    ["10.0.0.256 -p 80", "10.0.0.256"],
    ["10.0.0.9-10.0.0.1 -p 80", "10.0.0.9-10.0.0.1"],
    ["not-an-address -p 80", "not-an-address"],
    ["224.0.0.1 -p 80", "multicast"],
    ["127.0.0.1 -p 70000", "70000"],
    ["127.0.0.1 -p 22,,80", "22,,80"],
    ["127.0.0.1 -p a", "'a'"],
    ["127.0.0.1 -p 0", "'0'"],
    ["127.0.0.1 -p U:53 --link connect", "UDP"],
    ["127.0.0.1 -p U:0", "U:0"],
    ["2001:db8::/129 -p 80", "2001:db8::/129"],
    ["127.0.0.1 -p 80 --shard 3/2 --seed 1", "--shard"],
    ["127.0.0.1 -p 80 --shard 1/2", "--seed"],
    ["127.0.0.1 -p 80 --format binary", "--dry-run"],
    ["127.0.0.1 --only-discover -p 80", "--only-discover"],
    ["127.0.0.1 -p 80 --gateway-mac 02:00", "--gateway-mac"],
    ["127.0.0.1 -p 80 --resume /no-such-file", "/no-such-file"],
    ["127.0.0.1 -p 80 --rate fast", "--rate"],
    ["127.0.0.1 -p 80 --rate 0", "--rate"],
    ["127.0.0.1 -p 80 --retries 1.5", "--retries"],
    ["127.0.0.1 -p 80 --link warp", "--link"],
    ["127.0.0.1 -p 80 --show everything", "everything"],
    ["127.0.0.1 --no-such-flag", "--no-such-flag"],
    ["", "targets"],
    ["0.0.0.0/0 -p - --exclude 0.0.0.0/0", "nothing"],
  ])("scan %s", async (words, names) => {
    const args = words === "" ? [] : words.split(" ");
    await expectRefusal([AGENT, "scan", ...args], {}, names === "nothing" ? "no address is left" : names);
  });

  test("a link that needs privilege, without it: says what to do", async () => {
    const command = [...NOBODY, AGENT, "scan", "127.0.0.1", "-p", "80", "--link", "packet"];
    await expectRefusal(command, {}, "CAP_NET_RAW", "sudo");
  });

  test("the packet link over loopback names the link that works", () =>
    expectRefusal([AGENT, "scan", "127.0.0.1", "-p", "80", "--link", "packet"], {}, "over lo", "--link raw"));

  test("a summary file that cannot be written is told before the scan", () =>
    expectRefusal(
      [AGENT, "scan", "127.0.0.1", "-p", "80", "--summary", "/no-such-folder/x"],
      {},
      "/no-such-folder/x",
    ));

  test("a network without a route names it", async () => {
    // A namespace of its own with loopback only: there is no way to anywhere.
    const command = ["unshare", "--net", AGENT, "scan", "10.9.8.0/24", "-p", "80"];
    const { exitCode, stdout, stderr } = await execute(command);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(stderr).toContain("no route to 10.9.8.0/24");
  });
});

describe("agent", () => {
  test("unknown command", () => expectRefusal([AGENT, "scna"], {}, "scna"));

  test("enroll without a server", () =>
    expectRefusal([AGENT, "enroll"], { PORTOLAN_TOKEN: "x" }, "--server"));

  test("enroll without a token", () =>
    expectRefusal([AGENT, "enroll", "--server", deadServer, "--state-dir", folder], {}, "PORTOLAN_TOKEN"));

  test("enroll over plain http to another host", () =>
    expectRefusal([AGENT, "enroll", "--server", "http://control.example"], { PORTOLAN_TOKEN: "x" }, "https"));

  test("enroll where nobody listens", () =>
    expectRefusal(
      [AGENT, "enroll", "--server", deadServer, "--state-dir", folder],
      { PORTOLAN_TOKEN: "ptl_prov_x" },
      "cannot reach",
      deadServer,
    ));

  test("run with a state directory that cannot be written", () => {
    const environment = { API_KEY: "ptl_key_x", BACKEND_URL: deadServer };
    return expectRefusal(
      [AGENT, "run", "--state-dir", "/proc/portolan"],
      environment,
      "/proc/portolan",
      "--state-dir",
    );
  });

  test("run on a host that was never enrolled", () =>
    expectRefusal([AGENT, "run", "--state-dir", join(folder, "none")], {}, "enroll"));

  test("a configuration file with an unknown key names it", async () => {
    const path = join(folder, "agent.yaml");
    writeFileSync(path, "serverr: https://control.example\n");
    await expectRefusal([AGENT, "run", "--config", path], {}, "serverr");
  });
});

describe("control plane", () => {
  const token = ["--token-file", "/dev/null"];

  test("unknown flag", () => expectRefusal([CONTROL, "serve", "--no-such-flag"], {}, "--no-such-flag"));

  test("a server that is not there", () => {
    writeFileSync(join(folder, "token"), "ptl_op_x\n");
    const command = [
      CONTROL,
      "scanner",
      "list",
      "--server",
      deadServer,
      "--token-file",
      join(folder, "token"),
    ];
    return expectRefusal(command, {}, deadServer);
  });

  test("a token file without a token", () =>
    expectRefusal([CONTROL, "scanner", "list", "--server", deadServer, ...token], {}, "/dev/null"));
});
