/** Settings: what operators set while the control plane runs. They go before the flags it was started with. */

import type { Clock } from "#shared/clock.ts";
import type { Log } from "#shared/log.ts";
import {
  type Settings as SettingValues,
  settingsSchema,
  type SettingsUpdateRequest,
  type SettingsView,
} from "#shared/protocol/settings.ts";
import { readSettings, writeSetting } from "../store/settings.ts";
import type { Session, Store } from "../store/store.ts";
import { recordAudit } from "./audit.ts";

/** Other replicas see a change after this. */
const CACHE_MS = 5_000;

const NAMES = ["publicUrl", "deadManUrl", "minimumAgentVersion"] as const;

/** As flags and environment have it. */
export interface SettingDefaults {
  readonly publicUrl?: string | undefined;
  readonly minimumAgentVersion?: string | undefined;
}

export class Settings {
  private readonly store: Store;
  private readonly clock: Clock;
  private readonly log: Log;
  private readonly defaults: SettingDefaults;
  private cached: { readonly values: SettingValues; readonly readAtMs: number } | undefined;

  constructor(store: Store, clock: Clock, log: Log, defaults: SettingDefaults) {
    this.store = store;
    this.clock = clock;
    this.log = log;
    this.defaults = defaults;
  }

  /** What holds now, a few seconds old at most. */
  async inForce(): Promise<SettingValues> {
    const nowMs = this.clock.monotonicMs();
    if (this.cached === undefined || nowMs - this.cached.readAtMs >= CACHE_MS) {
      this.cached = { values: await this.store.run(storedSettings), readAtMs: nowMs };
    }
    return this.withDefaults(this.cached.values);
  }

  async view(): Promise<SettingsView> {
    const settings = await this.store.run(storedSettings);
    return { settings, inForce: this.withDefaults(settings) };
  }

  async update(request: SettingsUpdateRequest, actor: string): Promise<SettingsView> {
    const settings = await this.store.transaction(async (session) => {
      for (const name of NAMES) {
        const value = request[name];
        if (value !== undefined) await writeSetting(session, name, value, actor);
      }
      const detail = withoutSecrets(request);
      await recordAudit(session, { actor, action: "settings.changed", object: "settings", detail });
      return storedSettings(session);
    });
    this.cached = undefined;
    this.log.info("settings.changed", "Settings were changed", {
      actor,
      names: Object.keys(request).join(", "),
    });
    return { settings, inForce: this.withDefaults(settings) };
  }

  private withDefaults(settings: SettingValues): SettingValues {
    return {
      publicUrl: settings.publicUrl ?? this.defaults.publicUrl ?? null,
      deadManUrl: settings.deadManUrl,
      minimumAgentVersion: settings.minimumAgentVersion ?? this.defaults.minimumAgentVersion ?? null,
    };
  }
}

/** Services that watch such calls tell their users apart by a secret in the URL. */
function withoutSecrets(request: SettingsUpdateRequest): Record<string, unknown> {
  const { deadManUrl } = request;
  return { ...request, ...(typeof deadManUrl === "string" ? { deadManUrl: "set" } : {}) };
}

async function storedSettings(session: Session): Promise<SettingValues> {
  const stored = await readSettings(session);
  return settingsSchema.parse(Object.fromEntries(NAMES.map((name) => [name, stored.get(name) ?? null])));
}
