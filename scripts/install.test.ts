/**
 * install.sh against a real control plane, on this machine's own file system with every change thrown away. There is no
 * systemd there; install-systemd.test.ts has one.
 */

import { afterEach, beforeAll, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { z } from "zod";
import { ControlPlane } from "./testing/control-plane.ts";
import { complaint, INSTALL, sha256, WRONG_TOKEN } from "./testing/installer.ts";
import { NOBODY } from "./testing/nobody.ts";
import { AGENT } from "./testing/programs.ts";
import { requireForInstallation } from "./testing/requirements.ts";
import { ThrowawayHost } from "./testing/throwaway-host.ts";
import { E2E_TIMEOUT_MS } from "./testing/timeouts.ts";

setDefaultTimeout(E2E_TIMEOUT_MS);

const AS_NOBODY = NOBODY.join(" ");

let host: ThrowawayHost;
let controlPlane: ControlPlane;

beforeAll(() => requireForInstallation(["curl", "nsenter", "setpriv", "strace", "unshare", "wget"]));

beforeEach(async () => {
  controlPlane = await ControlPlane.start();
  host = await ThrowawayHost.create();
});

afterEach(async () => {
  await controlPlane.close();
  await host.remove();
});

/** What the one-time line would run. */
async function installScript(token: string): Promise<string> {
  const response = await fetch(`${controlPlane.url}/scanner/install`, {
    headers: { authorization: `Bearer ${token}` },
  });
  expect(response.status).toBe(200);
  return response.text();
}

test("the one-time line installs and enrols, and the command that it prints runs the agent", async () => {
  const { provisioning } = await controlPlane.operator.addScanner("berlin-1");
  const { exitCode, stdout, stderr } = await host.run(provisioning.installCommand);

  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  expect(stdout).toContain(`as scanner 'berlin-1' of ${controlPlane.url}`);
  expect(stdout).toContain("no systemd is running here");

  const installed = (await host.must("sha256sum /usr/local/bin/portolan-agent")).split(" ")[0];
  expect(installed).toBe(sha256(readFileSync(AGENT)));
  const facts = (paths: string): Promise<string> => host.must(`stat -c '%a %U:%G %n' ${paths}`);
  expect(await facts("/usr/local/bin/portolan-agent /etc/portolan/agent.yaml")).toBe(
    "755 root:root /usr/local/bin/portolan-agent\n644 root:root /etc/portolan/agent.yaml\n",
  );
  expect(await facts("/var/lib/portolan /var/lib/portolan/*")).toBe(
    "700 portolan:portolan /var/lib/portolan\n" +
      "600 portolan:portolan /var/lib/portolan/credentials.json\n" +
      "600 portolan:portolan /var/lib/portolan/install-id\n",
  );
  expect(await host.must("cat /etc/portolan/agent.yaml")).toBe(`server: '${controlPlane.url}'\n`);
  expect(await host.must("getent passwd portolan")).toMatch(
    /^portolan:[^:]*:\d{1,3}:\d{1,3}:[^:]*:\/var\/lib\/portolan:\/usr\/sbin\/nologin$/m,
  );
  expect(await host.exists("/etc/systemd/system/portolan-agent.service")).toBe(false);
  // Nothing of the workspace stays.
  expect((await host.changes()).filter((line) => /\.portolan-|\.new$/.test(line))).toEqual([]);

  const command = /Run it with: sudo (.+)$/m.exec(stdout)?.[1] ?? "false";
  const agent = host.start("the agent", command);
  const scanner = await controlPlane.operator.activeScanner("berlin-1");
  await agent.stop();
  expect(scanner.metrics?.numCpus).toBeGreaterThan(0);
  expect(scanner.capabilities).toContain("syn");
});

test("running the line again keeps the enrolment, and what the operator configured", async () => {
  const { provisioning } = await controlPlane.operator.addScanner("berlin-1");
  await host.must(provisioning.installCommand);
  const key = `sed -n 's/.*"scannerId": //p' /var/lib/portolan/credentials.json`;
  const before = await host.must(key);
  await host.must(
    "echo 'log_level: DEBUG' >>/etc/portolan/agent.yaml; echo old >/usr/local/bin/portolan-agent",
  );

  const again = await host.run(provisioning.installCommand);

  expect({ exitCode: again.exitCode, stderr: again.stderr }).toEqual({ exitCode: 0, stderr: "" });
  expect(again.stdout).toContain("as scanner 'berlin-1'");
  expect(await host.must(key)).toBe(before);
  expect(await host.must("cat /etc/portolan/agent.yaml")).toBe(
    `server: '${controlPlane.url}'\nlog_level: DEBUG\n`,
  );
  expect(await host.must("portolan-agent doctor")).toContain("knows this scanner");
});

test("a host that is enrolled is upgraded without a token", async () => {
  const { provisioning } = await controlPlane.operator.addScanner("berlin-1");
  await host.must("sh", { stdin: await installScript(provisioning.token) });
  await host.must("echo old >/usr/local/bin/portolan-agent");
  const output = await host.must(`${INSTALL} --server '${controlPlane.url}/'`);
  expect(output).toContain("keeps its credentials");
  expect(await host.must("portolan-agent doctor")).toContain("knows this scanner");
});

test("a token that is wrong changes nothing", async () => {
  const outcome = await host.run(INSTALL, {
    env: { PORTOLAN_SERVER: controlPlane.url, PORTOLAN_TOKEN: WRONG_TOKEN },
  });
  expect(outcome.exitCode).toBe(1);
  expect(complaint(outcome)).toMatch(/^portolan: .*token/);
  expect(await host.changes()).toEqual([]);
});

test("a token that another host has spent installs nothing", async () => {
  const { provisioning } = await controlPlane.operator.addScanner("berlin-1");
  const other = await ThrowawayHost.create();
  try {
    await other.must(provisioning.installCommand);
  } finally {
    await other.remove();
  }
  const outcome = await host.run(provisioning.installCommand);
  expect(outcome.exitCode).toBe(1);
  expect(complaint(outcome)).toMatch(/^portolan: .*used by another host/);
  // Making the user and removing it again leaves the account files written anew, and nothing in them.
  expect((await host.changes()).filter((line) => !/ etc\/[^/]+$/.test(line))).toEqual([]);
  expect((await host.run("getent passwd portolan")).exitCode).toBe(2);
});

test("neither token nor key is ever among a program's arguments", async () => {
  const { provisioning } = await controlPlane.operator.addScanner("berlin-1");
  const script = await installScript(provisioning.token);
  await host.must("strace -f -e trace=execve -s 100000 -o /run/trace sh", { stdin: script });
  const credentials = await host.must("cat /var/lib/portolan/credentials.json");
  const { apiKey } = z.object({ apiKey: z.string().min(20) }).parse(JSON.parse(credentials));
  await host.must(
    `strace -f -e trace=execve -s 100000 -o /run/trace2 ${INSTALL} --server ${controlPlane.url}`,
  );
  const trace = await host.must("cat /run/trace /run/trace2");

  expect(trace).toMatch(/execve\("[^"]*\/curl", \[.*"--config"/);
  expect(trace).toMatch(/execve\("[^"]*\/portolan-agent", \[.*"enroll"/);
  expect(trace).not.toContain(provisioning.token);
  expect(trace).not.toContain(apiKey);
});

test("GNU wget does where curl is missing, su where setpriv and runuser are", async () => {
  const { provisioning } = await controlPlane.operator.addScanner("berlin-1");
  await host.must(
    "for tool in curl setpriv runuser; do path=$(command -v $tool); mv $path /run/; done; ! command -v curl setpriv",
  );
  const refusal = await host.run(INSTALL, {
    env: { PORTOLAN_SERVER: controlPlane.url, PORTOLAN_TOKEN: WRONG_TOKEN },
  });
  expect(complaint(refusal)).toMatch(/^portolan: the control plane refused the token: /);

  await host.must("sh", { stdin: await installScript(provisioning.token) });
  expect(await host.must("stat -c '%a %U' /var/lib/portolan/credentials.json")).toBe("600 portolan\n");
});

test("--prefix needs no root and stays below its directory", async () => {
  const { provisioning } = await controlPlane.operator.addScanner("trial");
  await host.must(`install -d -o 65534 -g 65534 "/srv/o'brien s"`);
  const before = await host.changes();
  const { exitCode, stdout, stderr } = await host.run(
    `${AS_NOBODY} sh -s -- --prefix "/srv/o'brien s/portolan"`,
    { stdin: await installScript(provisioning.token) },
  );

  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  const made = (await host.changes()).filter((line) => !before.includes(line));
  expect(made.filter((line) => !line.includes("srv/o'brien s/portolan"))).toEqual([]);
  const run = /run it with: (.+)$/m.exec(stdout)?.[1] ?? "false";
  const agent = host.start("the agent", `${AS_NOBODY} ${run}`);
  await controlPlane.operator.activeScanner("trial");
  await agent.stop();
});

test("removal takes everything but what it knows; with --purge that too; both may be run twice", async () => {
  const before = await host.changes();
  const { provisioning } = await controlPlane.operator.addScanner("berlin-1");
  await host.must("sh", { stdin: await installScript(provisioning.token) });

  await host.must("portolan-agent-uninstall");
  expect(await host.exists("/usr/local/bin/portolan-agent")).toBe(false);
  expect(await host.exists("/usr/local/bin/portolan-agent-uninstall")).toBe(false);
  expect(await host.exists("/etc/portolan")).toBe(false);
  expect(await host.exists("/var/lib/portolan/credentials.json")).toBe(true);
  await host.must(`${INSTALL} --uninstall`);

  await host.must(`${INSTALL} --uninstall --purge`);
  await host.must(`${INSTALL} --uninstall --purge`);
  // The user databases are files again that differ from the machine's in nothing but that they were written.
  const made = (await host.changes()).filter((line) => !before.includes(line));
  expect(
    made.filter((line) => !/ etc\/(?:passwd|group|shadow|gshadow|subuid|subgid|\.pwd\.lock)-?$/.test(line)),
  ).toEqual([]);
  expect((await host.run("grep -h portolan /etc/passwd /etc/group /etc/shadow")).stdout).toBe("");
});
