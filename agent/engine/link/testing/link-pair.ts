/**
 * Two hosts on one link for tests, made of network namespaces: `us`, where routing is asked, and `them`, who answer.
 * Nothing in them has a way to the outside.
 */

import { inNamespace, namespaceProblem, removeAbandoned, run } from "../../../../scripts/lab/namespaces.ts";
import { WAIT_TIMEOUT_MS } from "../../../../scripts/testing/timeouts.ts";
import type { RoutingAnswers, RoutingQuestion, RoutingRefusal } from "./routing-answers.ts";

let pairs = 0;

export class LinkPair {
  readonly us: string;
  readonly them: string;

  /**
   * Interface `lan` on both sides, 10.1.0.1 and fd00:1::1 here, 10.1.0.2, 10.1.0.3 and fd00:1::2 there, and link-local
   * fe80::1 and fe80::2.
   * @throws Error saying what is missing where namespaces cannot be made
   */
  constructor() {
    const problem = namespaceProblem();
    if (problem !== undefined) throw new Error(problem);
    removeAbandoned();
    const id = `ptl-${process.pid}-link${pairs++}`;
    this.us = `${id}-us`;
    this.them = `${id}-them`;
    for (const name of [this.us, this.them]) run(["ip", "netns", "add", name]);
    for (const name of [this.us, this.them]) run(["ip", "-n", name, "link", "set", "lo", "up"]);
    this.here("link", "add", "lan", "type", "veth", "peer", "name", "lan", "netns", this.them);
    for (const address of ["10.1.0.1/24", "fd00:1::1/64", "fe80::1/64"]) addAddress(this.us, address);
    for (const address of ["10.1.0.2/24", "10.1.0.3/24", "fd00:1::2/64", "fe80::2/64"]) {
      addAddress(this.them, address);
    }
    for (const name of [this.us, this.them]) run(["ip", "-n", name, "link", "set", "lan", "up"]);
    for (const name of [this.us, this.them]) waitUntilUp(name);
  }

  /** Runs `ip` among us. */
  here(...words: readonly string[]): string {
    return run(["ip", "-n", this.us, ...words]);
  }

  /** Runs `ip` among them. */
  there(...words: readonly string[]): string {
    return run(["ip", "-n", this.them, ...words]);
  }

  /** As twelve hexadecimal digits. */
  theirMac(): string {
    const path = "/sys/class/net/lan/address";
    return run(inNamespace(this.them, ["cat", path]))
      .trim()
      .replaceAll(":", "");
  }

  /** What routing says here. */
  ask(question: RoutingQuestion): RoutingAnswers {
    const answer: RoutingAnswers | RoutingRefusal = this.askAnyway(question);
    if ("error" in answer) throw new Error(`${answer.error.code}: ${answer.error.message}`);
    return answer;
  }

  /** The error that routing ends with here. */
  refusal(question: RoutingQuestion): RoutingRefusal["error"] {
    const answer = this.askAnyway(question);
    if ("error" in answer) return answer.error;
    throw new Error("routing found a way where none was expected");
  }

  close(): void {
    for (const name of [this.us, this.them]) run(["ip", "netns", "del", name]);
  }

  private askAnyway(question: RoutingQuestion): RoutingAnswers | RoutingRefusal {
    const program = new URL("./routing-answers.ts", import.meta.url).pathname;
    const text = run(inNamespace(this.us, [process.execPath, program]), JSON.stringify(question));
    return JSON.parse(text);
  }
}

/** IPv6 answers nobody before the kernel has seen that the link works, which it looks at once a second. */
function waitUntilUp(namespace: string): void {
  const untilMs = performance.now() + WAIT_TIMEOUT_MS;
  const path = "/sys/class/net/lan/operstate";
  while (run(inNamespace(namespace, ["cat", path])).trim() !== "up") {
    if (performance.now() > untilMs) throw new Error(`the link of ${namespace} does not come up`);
    Bun.sleepSync(20);
  }
}

function addAddress(namespace: string, address: string): void {
  // Duplicate address detection would keep it from being used for a second. IPv4 knows none and takes no such flag.
  const flags = address.includes(":") ? ["nodad"] : [];
  run(["ip", "-n", namespace, "address", "add", address, "dev", "lan", ...flags]);
}
