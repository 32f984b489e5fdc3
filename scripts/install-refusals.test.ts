/** What install.sh refuses, and what goes wrong on its way: one line on stderr, and nothing on the host has changed. */

import { afterEach, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { execute } from "./processes/command.ts";
import { type FaultyAnswers, refused, serveFaulty } from "./testing/faulty-control-plane.ts";
import { complaint, INSTALL, sha256, WRONG_TOKEN } from "./testing/installer.ts";
import { NOBODY } from "./testing/nobody.ts";
import { AGENT, INSTALL_SCRIPT } from "./testing/programs.ts";
import { requireForInstallation } from "./testing/requirements.ts";
import { ThrowawayHost } from "./testing/throwaway-host.ts";
import { E2E_TIMEOUT_MS } from "./testing/timeouts.ts";

setDefaultTimeout(E2E_TIMEOUT_MS);

let host: ThrowawayHost;

beforeAll(() => requireForInstallation(["curl", "nsenter", "setpriv", "shellcheck", "unshare"]));

beforeEach(async () => {
  host = await ThrowawayHost.create();
});

afterEach(() => host.remove());

describe("what goes wrong changes nothing", () => {
  const program = "#!/bin/sh\necho 'portolan-agent 9.9.9 (wire 1)'\n";
  const binary = (body: string | Blob, digest: string) => (): Response =>
    new Response(body, { headers: { "x-portolan-sha256": digest } });
  const good = binary(program, sha256(Buffer.from(program)));

  const faults: readonly [string, FaultyAnswers, RegExp][] = [
    ["a damaged download", { binary: binary(program, "0".repeat(64)) }, /damaged on the way/],
    ["a missing digest", { binary: () => new Response(program) }, /no X-Portolan-SHA256/],
    [
      "a program that was not built",
      {
        binary: () =>
          refused(501, "BINARY_NOT_BUILT", "build it with: bun scripts/build.ts --target=linux-arm64"),
      },
      /answered 501: build it with: bun scripts\/build\.ts --target=linux-arm64$/,
    ],
    [
      "a program that does not run here",
      { binary: binary("no program", sha256(Buffer.from("no program"))) },
      /does not run on this host/,
    ],
    [
      "an answer that is none of ours",
      { binary: () => new Response("<h1>Bad\u001B[2J\ngateway</h1>", { status: 404 }) },
      /answered 404: <h1>Bad\[2J gateway<\/h1>$/,
    ],
    [
      "a redirection, which could carry the token elsewhere",
      { binary: () => Response.redirect("http://127.0.0.1:9/", 302) },
      /answered 302/,
    ],
  ];

  test.each(faults)("%s", async (_name, answers, message) => {
    using server = serveFaulty(answers);
    const before = await host.changes();
    for (const prefix of ["", "--prefix /srv/portolan"]) {
      const outcome = await host.run(`${INSTALL} ${prefix}`, {
        env: { PORTOLAN_SERVER: server.url, PORTOLAN_TOKEN: WRONG_TOKEN },
      });
      expect(outcome.exitCode).toBe(1);
      expect(complaint(outcome)).toMatch(message);
      expect(await host.changes()).toEqual(before);
    }
  });

  test("a token that is refused only when the host enrols", async () => {
    const agent = readFileSync(AGENT);
    using server = serveFaulty({
      binary: binary(new Blob([agent]), sha256(agent)),
      register: () => refused(401, "INVALID_PROVISIONING_TOKEN", "the provisioning token has been used"),
    });
    const outcome = await host.run(INSTALL, {
      env: { PORTOLAN_SERVER: server.url, PORTOLAN_TOKEN: WRONG_TOKEN },
    });
    expect(outcome.exitCode).toBe(1);
    expect(complaint(outcome)).toBe("portolan: cannot enrol this host: the provisioning token has been used");
    for (const path of ["/usr/local/bin/portolan-agent", "/etc/portolan", "/var/lib/portolan"]) {
      expect(await host.exists(path)).toBe(false);
    }
    expect((await host.run("id portolan")).exitCode).toBe(1);
  });

  test("an interruption in the middle of the download", async () => {
    const started = Promise.withResolvers<void>();
    using server = serveFaulty({
      binary: () => {
        const body = new ReadableStream({
          // Begins, and never ends.
          pull: async (controller) => {
            controller.enqueue(new Uint8Array(1_000));
            started.resolve();
            await Bun.sleep(50);
          },
        });
        return new Response(body, { headers: { "x-portolan-sha256": "0".repeat(64) } });
      },
    });
    const before = await host.changes();
    const env = `PORTOLAN_SERVER=${server.url} PORTOLAN_TOKEN=${WRONG_TOKEN}`;
    // In a process group of its own, as a terminal that hangs up sees it.
    const session = `setsid --wait sh -c 'echo $$ >/run/installer; exec sh "$0"' '${INSTALL_SCRIPT}'`;
    const outcome = host.run(`${env} ${session}`);
    await started.promise;
    await host.must("kill -TERM -$(cat /run/installer)");
    expect((await outcome).exitCode).toBe(143);
    expect(await host.changes()).toEqual(before);
  });

  test("a download of the script that was cut off, wherever", async () => {
    using server = serveFaulty({ binary: good });
    const script = readFileSync(INSTALL_SCRIPT, "utf8").replace(
      "# portolan:provisioning",
      `PORTOLAN_SERVER='${server.url}'\nPORTOLAN_TOKEN='${WRONG_TOKEN}'`,
    );
    const complete = script.lastIndexOf("main ");
    expect(script.slice(complete)).toBe('main "$@" </dev/null\n');
    const before = await host.changes();
    const cuts = Array.from({ length: 40 }, (_unused, index) => Math.floor((complete * index) / 40));
    for (const end of [...cuts, complete, complete + 3]) {
      const { stdout } = await host.run("sh", { stdin: script.slice(0, end) });
      expect(stdout).toBe("");
    }
    expect(server.calls()).toBe(0);
    expect(await host.changes()).toEqual(before);
  });
});

describe("what it is told", () => {
  const env = { PORTOLAN_SERVER: "http://127.0.0.1:9", PORTOLAN_TOKEN: WRONG_TOKEN };

  test.each([
    ["--bogus", 2, "unknown option '--bogus'"],
    ["berlin-1", 2, "unknown option 'berlin-1'"],
    ["--server", 2, "--server needs a value"],
    ["--purge", 2, "--purge goes with --uninstall"],
    ["--uninstall --prefix /srv/portolan", 2, "rm -r /srv/portolan"],
    ["--server ftp://127.0.0.1", 1, "is no address of a control plane"],
    ["--server 'https://a b'", 1, "is no address of a control plane"],
    ["--server http://10.213.254.1", 1, "would send keys in the clear"],
    ["--server http://127.0.0.1.example.org", 1, "would send keys in the clear"],
    ["--server http://localhost.example.org:80/", 1, "would send keys in the clear"],
    ["--ca-file /etc/hostname", 1, "cannot read a PEM certificate in /etc/hostname"],
    ["--token-file /nonexistent", 1, "cannot read the token file"],
    ["--server http://127.0.0.1:9", 1, "cannot reach the control plane"],
    ["--server http://localhost:9", 1, "cannot reach the control plane"],
    ["--server 'http://[::1]:9/portolan'", 1, "cannot reach the control plane"],
  ])("install.sh %s", async (options, exitCode, message) => {
    const before = await host.changes();
    const outcome = await host.run(`${INSTALL} ${options}`, { env });
    expect(complaint(outcome)).toStartWith("portolan: ");
    expect(complaint(outcome)).toContain(message);
    expect(outcome.exitCode).toBe(exitCode);
    expect(await host.changes()).toEqual(before);
  });

  test("without a control plane, a token, or root it says what to give", async () => {
    const says = async (command: string, given: Readonly<Record<string, string>>): Promise<string> =>
      complaint(await host.run(command, { env: given }));
    expect(await says(INSTALL, {})).toContain("give --server");
    expect(await says(INSTALL, { PORTOLAN_SERVER: env.PORTOLAN_SERVER })).toContain("--token-file");
    const asNobody = await host.run(`${NOBODY.join(" ")} sh`, {
      env,
      stdin: readFileSync(INSTALL_SCRIPT, "utf8"),
    });
    expect(complaint(asNobody)).toContain("run it with sudo");
  });

  test("a token that would be read as settings of the downloader is refused", async () => {
    const outcome = await host.run(INSTALL, {
      env: { ...env, PORTOLAN_TOKEN: 'x"\noutput = "/etc/passwd' },
    });
    expect(complaint(outcome)).toContain("characters that no token has");
  });

  test("a person's account of the same name is left alone", async () => {
    await host.must("useradd --create-home portolan");
    const outcome = await host.run(INSTALL, { env });
    expect(complaint(outcome)).toContain("there is a user 'portolan' already, at home in /home/portolan");
    await host.must(`${INSTALL} --uninstall --purge`);
    expect(await host.must("id -un portolan")).toBe("portolan\n");
  });

  test("--help names every option", async () => {
    const help = await host.must(`${INSTALL} --help`);
    const options = readFileSync(INSTALL_SCRIPT, "utf8").matchAll(/^ {6}(--[a-z-]+)(?: \||\))/gm);
    for (const [, option] of options) expect(help).toContain(` ${option} `);
  });
});

test("shellcheck has nothing to say about the script, nor about the one that it leaves behind", async () => {
  const script = readFileSync(INSTALL_SCRIPT, "utf8");
  const uninstaller = /^uninstaller\(\) \{\n {2}cat <<'END'\n(.*?)^END$/ms.exec(script)?.[1] ?? "";
  expect(uninstaller).toStartWith("#!/bin/sh\n");
  for (const text of [script, uninstaller]) {
    expect(text).not.toContain("shellcheck");
    const command = ["shellcheck", "--shell=sh", "--enable=require-variable-braces=no", "-"];
    const { stdout } = await execute(command, { envBase: "clean", stdin: text });
    expect(stdout).toBe("");
  }
});
