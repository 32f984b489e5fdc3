/**
 * A small Debian with a real systemd, booted in a container, that reaches this machine and nothing else. Its file
 * system is made once and kept; every container gets a copy, which goes when the tests end.
 */

import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { removeAbandoned, run } from "../lab/namespaces.ts";
import { eventually, mustRun, type Outcome, runCommand } from "./run.ts";

/** Both ends of the link between this machine and the container. */
export const HOST_ADDRESS = "10.213.254.1";
export const CONTAINER_ADDRESS = "10.213.254.2";

const CACHE = join(process.env["XDG_CACHE_HOME"] || "/var/cache", "portolan-test");
const SUITE = "bookworm";
const PACKAGES = ["systemd", "systemd-sysv", "dbus", "curl", "ca-certificates"];

export class SystemdContainer {
  /** Its file system. */
  readonly directory: string;
  private readonly namespace: string;
  private booted: { readonly process: Bun.Subprocess; readonly init: string } | undefined;

  private constructor(directory: string, namespace: string) {
    this.directory = directory;
    this.namespace = namespace;
  }

  /** Downloads a Debian at first, which takes a minute or two. */
  static async create(): Promise<SystemdContainer> {
    await makeFileSystem();
    removeAbandoned();
    removeAbandonedCopies();
    const namespace = `ptl-${process.pid}-systemd`;
    const container = new SystemdContainer(join(CACHE, `copy-${process.pid}`), namespace);
    try {
      await mustRun(["cp", "--archive", join(CACHE, SUITE), container.directory]);
      container.link();
      await container.boot();
    } catch (error) {
      await container.remove();
      throw error;
    }
    return container;
  }

  private link(): void {
    const here = `ptl${process.pid % 100_000}sd`;
    run(["ip", "netns", "add", this.namespace]);
    run(["ip", "-n", this.namespace, "link", "set", "lo", "up"]);
    run(["ip", "link", "add", here, "type", "veth", "peer", "name", "uplink", "netns", this.namespace]);
    run(["ip", "address", "add", `${HOST_ADDRESS}/30`, "dev", here]);
    run(["ip", "link", "set", here, "up"]);
    run(["ip", "-n", this.namespace, "address", "add", `${CONTAINER_ADDRESS}/30`, "dev", "uplink"]);
    run(["ip", "-n", this.namespace, "link", "set", "uplink", "up"]);
  }

  async boot(): Promise<void> {
    const nspawn = Bun.spawn(
      [
        // An orderly shutdown, should the tests be killed.
        "setpriv",
        "--pdeathsig=TERM",
        "systemd-nspawn",
        `--directory=${this.directory}`,
        `--network-namespace-path=/run/netns/${this.namespace}`,
        "--machine=portolan-test",
        "--register=no",
        "--keep-unit",
        "--resolv-conf=off",
        "--timezone=off",
        "--console=pipe",
        "--boot",
      ],
      { stdin: "ignore", stdout: "ignore", stderr: "ignore" },
    );
    const { pid } = nspawn;
    this.booted = { process: nspawn, init: "" };
    const init = await eventually("the container's first process", async () => {
      if (nspawn.exitCode !== null) throw new Error(`systemd-nspawn ended with ${nspawn.exitCode}`);
      const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");
      return children.find((child) => isSystemd(child));
    });
    this.booted = { process: nspawn, init };
    await eventually("the end of the container's start", async () => {
      const { stdout } = await this.run("systemctl is-system-running");
      return /^(?:running|degraded)$/m.test(stdout) ? true : undefined;
    });
  }

  run(script: string): Promise<Outcome> {
    return runCommand(this.entering(script));
  }

  must(script: string): Promise<string> {
    return mustRun(this.entering(script));
  }

  private entering(script: string): string[] {
    const namespaces = ["--mount", "--uts", "--ipc", "--net", "--pid"];
    return ["nsenter", `--target=${this.booted?.init ?? ""}`, ...namespaces, "sh", "-c", `cd / && ${script}`];
  }

  /** As a host that is switched off: services are stopped in order. */
  async shutDown(): Promise<void> {
    if (this.booted === undefined) return;
    const { process: nspawn, init } = this.booted;
    this.booted = undefined;
    nspawn.kill("SIGTERM");
    const patience = setTimeout(() => {
      // Everything in the container ends with its first process.
      if (init !== "") process.kill(Number(init), "SIGKILL");
      nspawn.kill("SIGKILL");
    }, 30_000);
    await nspawn.exited;
    clearTimeout(patience);
  }

  async remove(): Promise<void> {
    await this.shutDown();
    // The link goes with its other end.
    if (existsSync(`/run/netns/${this.namespace}`)) run(["ip", "netns", "del", this.namespace]);
    rmSync(this.directory, { recursive: true, force: true });
  }
}

function isSystemd(pid: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8") === "systemd\n";
  } catch {
    // It has ended since it was listed.
    return false;
  }
}

async function makeFileSystem(): Promise<void> {
  const made = join(CACHE, SUITE);
  if (existsSync(made)) return;
  mkdirSync(CACHE, { recursive: true });
  const unfinished = join(CACHE, `${SUITE}-${process.pid}`);
  const include = `--include=${PACKAGES.join(",")}`;
  try {
    await mustRun(["debootstrap", "--variant=minbase", include, SUITE, unfinished, debianMirror()]);
    renameSync(unfinished, made);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

/** The one that apt uses, where that is a Debian's; a machine behind a mirror reaches no other. */
function debianMirror(): string {
  const folder = "/etc/apt/sources.list.d";
  const files = existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
  for (const file of ["/etc/apt/sources.list", ...files]) {
    if (!existsSync(file)) continue;
    const mirror = /^(?:URIs:|deb(?: \[[^\]]*\])?) *(https?:\/\/\S+\/debian)\/?(?:\s|$)/m.exec(
      readFileSync(file, "utf8"),
    )?.[1];
    if (mirror !== undefined) return mirror;
  }
  return "http://deb.debian.org/debian";
}

/** Copies whose maker was killed before it could remove them. */
function removeAbandonedCopies(): void {
  for (const name of readdirSync(CACHE)) {
    const maker = /^(?:copy|bookworm)-(\d+)$/.exec(name)?.[1];
    if (maker !== undefined && !existsSync(`/proc/${maker}`)) {
      rmSync(join(CACHE, name), { recursive: true, force: true });
    }
  }
}
