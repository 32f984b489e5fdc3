/**
 * install.sh on a Debian with a real systemd: from the one-time line, over TLS with an authority of our own, to a
 * running service, and back to nothing.
 */

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mustExecute } from "./processes/command.ts";
import { waitFor } from "./processes/service.ts";
import { ControlPlane } from "./testing/control-plane.ts";
import { INSTALL_SCRIPT } from "./testing/programs.ts";
import { requireForInstallation } from "./testing/requirements.ts";
import { HOST_ADDRESS, NEIGHBOUR_ADDRESS, SystemdContainer } from "./testing/systemd-container.ts";
import { E2E_TIMEOUT_MS, WAIT_TIMEOUT_MS } from "./testing/timeouts.ts";

/** systemd's own scale: 0 is sealed, 10 is wide open. */
const MAX_EXPOSURE = 3;
/** The first run downloads a Debian. */
const SETUP_TIMEOUT_MS = 300_000;
const SCANNER = "systemd-host";
setDefaultTimeout(E2E_TIMEOUT_MS);

/** In the container. */
const CA_FILE = "/root/authority.pem";

let keys: string;
let controlPlane: ControlPlane | undefined;
let container: SystemdContainer | undefined;

beforeAll(async () => {
  requireForInstallation(["debootstrap", "ip", "nsenter", "openssl", "setpriv", "systemd-nspawn"]);
  keys = mkdtempSync(join(tmpdir(), "portolan-keys-"));
  container = await SystemdContainer.create();
  const [certFile, keyFile] = [join(keys, "authority.pem"), join(keys, "key.pem")];
  // Certificate and authority in one.
  const request =
    "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=portolan-test";
  await mustExecute(
    ["openssl", ...request.split(" "), "-addext", `subjectAltName=IP:${HOST_ADDRESS}`].concat(
      ["-keyout", keyFile],
      ["-out", certFile],
    ),
  );
  await Bun.write(join(container.directory, CA_FILE), readFileSync(certFile));
  controlPlane = await ControlPlane.start({ host: HOST_ADDRESS, tls: { certFile, keyFile } });
}, SETUP_TIMEOUT_MS);

afterAll(async () => {
  await controlPlane?.close();
  await container?.remove();
  rmSync(keys, { recursive: true, force: true });
}, SETUP_TIMEOUT_MS);

/** What the tests below, one after the other, do to the same host. */
function site(): { host: SystemdContainer; plane: ControlPlane } {
  if (container === undefined || controlPlane === undefined) throw new Error("the container was not set up");
  return { host: container, plane: controlPlane };
}

test("the one-time line ends with a running, enrolled service", async () => {
  const { host, plane } = site();
  const { provisioning } = await plane.operator.addScanner(SCANNER);
  // As the documentation has it for an authority of one's own. The container's root needs no sudo, and has none.
  const line = provisioning.installCommand
    .replace("curl -fsSL", `curl --cacert ${CA_FILE} -fsSL`)
    .replace(/sudo sh$/, `sh -s -- --ca-file ${CA_FILE}`);
  const { exitCode, stdout, stderr } = await host.run(line);

  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  expect(stdout).toContain("systemctl status portolan-agent");
  expect(await host.must("systemctl is-active portolan-agent")).toBe("active\n");
  expect(await host.must("systemctl is-enabled portolan-agent")).toBe("enabled\n");
  const scanner = await plane.operator.activeScanner(SCANNER);
  expect(scanner.metrics?.memoryTotalBytes).toBeGreaterThan(0);
  expect(scanner.capabilities).toContain("syn");
});

test("the service has one capability and little else", async () => {
  const { host } = site();
  const status = await host.must(
    "cat /proc/$(systemctl show --value --property MainPID portolan-agent)/status",
  );
  const CAP_NET_RAW = "0000000000002000";
  for (const set of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]) {
    expect(status).toMatch(new RegExp(`^${set}:\\s+${CAP_NET_RAW}$`, "m"));
  }
  expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
  expect(await host.must("systemd-analyze verify portolan-agent.service 2>&1")).toBe("");

  const report = await host.must("systemd-analyze security --no-pager portolan-agent.service");
  const exposure = Number(/Overall exposure level for portolan-agent\.service: ([\d.]+)/.exec(report)?.[1]);
  process.stderr.write(`systemd-analyze security: ${exposure}\n`);
  expect(exposure).toBeLessThanOrEqual(MAX_EXPOSURE);
});

test("it scans with raw packets under its restrictions", async () => {
  const { host } = site();
  const properties = (await host.must("systemctl cat portolan-agent"))
    .split("\n")
    .filter((text) =>
      /^(?:User|Group|Ambient|Capab|NoNew|Limit|Protect|Private|Restrict|Lock|SystemCall)/.test(text),
    )
    .map((text) => `--property='${text}'`);
  const scan = `/usr/local/bin/portolan-agent scan ${NEIGHBOUR_ADDRESS} --ports 1-100 --link packet --show all`;
  const output = await host.must(`systemd-run --quiet --wait --pipe ${properties.join(" ")} ${scan} 2>&1`);
  expect(output).toContain("100 closed");
});

test("a second run upgrades it in place, and a killed agent comes back", async () => {
  const { host, plane } = site();
  const pid = "systemctl show --value --property MainPID portolan-agent";
  const before = await host.must(pid);
  const script = readFileSync(INSTALL_SCRIPT);
  await Bun.write(join(host.directory, "root/install.sh"), script);
  const output = await host.must(`sh /root/install.sh --server ${plane.url} --ca-file ${CA_FILE}`);
  expect(output).toContain("keeps its credentials");
  const after = await host.must(pid);
  expect(after).not.toBe(before);

  await host.must(`kill -KILL ${after}`);
  await waitFor("the service after its agent was killed", WAIT_TIMEOUT_MS, [], async () => {
    const now = await host.must(pid);
    const { stdout } = await host.run("systemctl is-active portolan-agent");
    return now !== after && stdout === "active\n" ? true : undefined;
  });
});

test("it comes back when the host is started again", async () => {
  const { host } = site();
  await host.shutDown();
  await host.boot();
  await waitFor("the service after a restart", WAIT_TIMEOUT_MS, [], async () => {
    const { stdout } = await host.run("systemctl is-active portolan-agent");
    return stdout === "active\n" ? true : undefined;
  });
});

test("an installation whose service does not start says so, with the service's last words", async () => {
  const { host, plane } = site();
  const overrides = "/etc/systemd/system/portolan-agent.service.d";
  await host.must(
    `mkdir ${overrides} && printf '[Service]\\nExecStart=\\nExecStart=/bin/sh -c "echo no luck; exit 1"\\n' >${overrides}/broken.conf`,
  );
  const { exitCode, stderr } = await host.run(
    `sh /root/install.sh --server ${plane.url} --ca-file ${CA_FILE}`,
  );
  await host.must(`rm -r ${overrides} && systemctl daemon-reload`);
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/^no luck$/m);
  expect(stderr).toMatch(/^portolan: portolan-agent is installed, but did not start within 20 s/m);
});

test("a key that the control plane does not know is told in the log, and by the installer", async () => {
  const { host, plane } = site();
  await host.must(
    String.raw`sed -i 's/"apiKey": ".*"/"apiKey": "ptl_key_wrong"/' /var/lib/portolan/credentials.json`,
  );
  await host.must("systemctl restart portolan-agent || true");
  const log = await waitFor("the reason in the log", WAIT_TIMEOUT_MS, [], async () => {
    const { stdout } = await host.run("journalctl --unit portolan-agent --boot --output cat");
    return stdout.includes("enroll this host again with a new token") ? stdout : undefined;
  });
  expect(log).toContain("API key");
  const outcome = await host.run(`sh /root/install.sh --server ${plane.url} --ca-file ${CA_FILE}`);
  expect(outcome.exitCode).toBe(1);
  expect(outcome.stderr).toMatch(/^portolan: the control plane refused this host: /);
});

test("--uninstall --purge leaves nothing", async () => {
  const { host } = site();
  await host.must("portolan-agent-uninstall --purge");
  await host.must("sh /root/install.sh --uninstall --purge");
  expect((await host.run("systemctl cat portolan-agent")).exitCode).not.toBe(0);
  expect((await host.run("id portolan")).exitCode).toBe(1);
  // What systemd and the log keep of any service is theirs.
  const left = await host.must("find / -xdev -iname '*portolan*' -not -path '/proc/*' -not -path '/run/*'");
  expect(left).toBe("");
});
