/** What the control plane tells with the answer to a heartbeat: to fetch a new key, and that the agent has grown old. */

import { errorMessage } from "#shared/errors.ts";
import type { HeartbeatResponse } from "#shared/protocol/scanner.ts";
import { isOlderVersion, PORTOLAN_VERSION } from "#shared/protocol/version.ts";
import type { DaemonServices } from "./services.ts";

export class HeartbeatAnswers {
  private readonly services: DaemonServices;
  /** The version that was last warned about: once is enough. */
  private warnedOf: string | undefined;

  constructor(services: DaemonServices) {
    this.services = services;
  }

  /** Does what the answer says. What fails is logged: the next answer says it again. */
  async follow({ rotateKey, minimumVersion }: HeartbeatResponse): Promise<void> {
    if (minimumVersion !== undefined) this.checkVersion(minimumVersion);
    if (rotateKey === true) await this.rotateKey();
  }

  private checkVersion(minimum: string): void {
    if (minimum === this.warnedOf || isOlderVersion(PORTOLAN_VERSION, minimum) !== true) return;
    this.warnedOf = minimum;
    this.services.log.warning(
      "agent.outdated",
      `This agent is version ${PORTOLAN_VERSION}; the control plane asks for ${minimum} or newer: upgrade it`,
    );
  }

  /** The present key works until the new one is used, so the new one is kept on disk before that. */
  private async rotateKey(): Promise<void> {
    const { client, keepKey, log } = this.services;
    if (keepKey === undefined) {
      log.warning("key.not-rotated", "A new key is due, but this agent's key comes from the environment");
      return;
    }
    try {
      const { apiKey } = await client.rotateKey();
      await keepKey(apiKey);
      client.useKey(apiKey);
      log.info("key.rotated", "This agent has a new key");
    } catch (error) {
      log.warning("key.not-rotated", `A new key is due and could not be had: ${errorMessage(error)}`);
    }
  }
}
