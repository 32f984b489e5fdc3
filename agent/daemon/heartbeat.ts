/** Says "I am here" every minute, whatever a scan does, with the host's load, memory and traffic. */

import { HEARTBEAT_INTERVAL_MS } from "#shared/protocol/limits.ts";
import type { HeartbeatRequest } from "#shared/protocol/scanner.ts";
import { PORTOLAN_VERSION } from "#shared/protocol/version.ts";
import { hostFacts } from "../host/facts.ts";
import { hostMetrics } from "../host/metrics.ts";
import { HeartbeatAnswers } from "./heartbeat-answers.ts";
import { logRefusal } from "./refusal.ts";
import type { DaemonServices } from "./services.ts";

/** A heartbeat that failed is tried again sooner than the next is due: two missed ones raise an alarm. */
const RETRY_MS = 10_000;

export async function heartbeatRequest(capabilities: readonly string[]): Promise<HeartbeatRequest> {
  const { hostname, internalIp } = hostFacts();
  return {
    version: PORTOLAN_VERSION,
    hostname,
    ...(internalIp === undefined ? {} : { internalIp }),
    capabilities: [...capabilities],
    metrics: await hostMetrics(),
  };
}

/** Runs until the daemon stops. The first heartbeat goes out one interval after the start. */
export async function keepHeartbeat(
  services: DaemonServices,
  capabilities: readonly string[],
): Promise<void> {
  const { client, clock, log, signal } = services;
  const answers = new HeartbeatAnswers(services);
  let failing = false;
  let waitMs = HEARTBEAT_INTERVAL_MS;
  for (;;) {
    await clock.sleep(waitMs, signal);
    if (signal.aborted) return;
    const startedMs = clock.monotonicMs();
    try {
      const answer = await client.heartbeat(await heartbeatRequest(capabilities));
      if (failing) log.info("heartbeat.recovered", "Heartbeat accepted again");
      else log.debug("heartbeat.sent", "Heartbeat accepted");
      failing = false;
      await answers.follow(answer);
      waitMs = Math.max(0, HEARTBEAT_INTERVAL_MS - (clock.monotonicMs() - startedMs));
    } catch (error) {
      logRefusal(log, "heartbeat", error);
      failing = true;
      waitMs = RETRY_MS;
    }
  }
}
