/**
 * A small Debian with a real systemd, booted in a container, that reaches this machine, one neighbour, and nothing
 * else. Its file system comes from debian.ts.
 */

import { existsSync, readFileSync, rmSync } from "node:fs";
import { removeAbandoned, run } from "../lab/namespaces.ts";
import { execute, mustExecute, type Outcome } from "../processes/command.ts";
import { waitFor } from "../processes/service.ts";
import { copyDebian } from "./debian.ts";
import { WAIT_TIMEOUT_MS } from "./timeouts.ts";

/** Both ends of the link between this machine and the container. */
export const HOST_ADDRESS = "10.213.254.1";
const CONTAINER_ADDRESS = "10.213.254.2";

/** A host with nothing but closed ports, on an Ethernet link of its own: to be scanned from the container. */
export const NEIGHBOUR_ADDRESS = "10.213.254.6";
const TOWARDS_NEIGHBOUR = "10.213.254.5";

export class SystemdContainer {
  /** Its file system. */
  readonly directory: string;
  private readonly namespace: string;
  private readonly neighbour: string;
  private booted: { readonly process: Bun.Subprocess; readonly init: string } | undefined;

  private constructor(directory: string, namespace: string) {
    this.directory = directory;
    this.namespace = namespace;
    this.neighbour = `${namespace}-neighbour`;
  }

  /** Downloads a Debian at first, which takes a minute or two. */
  static async create(): Promise<SystemdContainer> {
    removeAbandoned();
    const container = new SystemdContainer(await copyDebian(), `ptl-${process.pid}-systemd`);
    try {
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
    this.linkNeighbour();
  }

  private linkNeighbour(): void {
    const [here, there] = [this.namespace, this.neighbour];
    run(["ip", "netns", "add", there]);
    run(["ip", "-n", here, "link", "add", "lan", "type", "veth", "peer", "name", "lan", "netns", there]);
    run(["ip", "-n", here, "address", "add", `${TOWARDS_NEIGHBOUR}/30`, "dev", "lan"]);
    run(["ip", "-n", here, "link", "set", "lan", "up"]);
    run(["ip", "-n", there, "address", "add", `${NEIGHBOUR_ADDRESS}/30`, "dev", "lan"]);
    run(["ip", "-n", there, "link", "set", "lan", "up"]);
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
    const init = await waitFor("the container's first process", WAIT_TIMEOUT_MS, [], async () => {
      if (nspawn.exitCode !== null) throw new Error(`systemd-nspawn ended with ${nspawn.exitCode}`);
      const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");
      return children.find((child) => isSystemd(child));
    });
    this.booted = { process: nspawn, init };
    await waitFor("the end of the container's start", WAIT_TIMEOUT_MS, [], async () => {
      const { stdout } = await this.run("systemctl is-system-running");
      return /^(?:running|degraded)$/m.test(stdout) ? true : undefined;
    });
  }

  run(script: string): Promise<Outcome> {
    return execute(this.entering(script), { envBase: "clean" });
  }

  must(script: string): Promise<string> {
    return mustExecute(this.entering(script), { envBase: "clean" });
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
    // Links go with their other end.
    for (const name of [this.namespace, this.neighbour]) {
      if (existsSync(`/run/netns/${name}`)) run(["ip", "netns", "del", name]);
    }
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
