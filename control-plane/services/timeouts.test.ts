import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { MIN_SERVICE_TIMEOUT_SECONDS, TIMEOUT_GRACE_MS } from "#shared/protocol/limits.ts";
import { jobPhases, jobTimeoutSeconds, timeoutVerdict } from "./timeouts.ts";

describe("with nmap", () => {
  test("discovery gets 70 % of the time-out and service detection 30 %", () => {
    expect(jobPhases("nmap", true, 3_600)).toEqual({
      discoveryTimeoutSeconds: 2_520,
      serviceTimeoutSeconds: 1_080,
      discoveryProgress: 0.7,
    });
    expect(jobTimeoutSeconds("nmap", true, 3_600)).toBe(3_600);
  });

  test("service detection gets at least 120 s, beyond the time-out where that is short", () => {
    expect(jobPhases("nmap", true, 100)).toMatchObject({
      discoveryTimeoutSeconds: 70,
      serviceTimeoutSeconds: 120,
    });
    expect(jobTimeoutSeconds("nmap", true, 100)).toBe(190);
    expect(jobPhases("nmap", true, 400)).toMatchObject({ serviceTimeoutSeconds: 120 });
    expect(jobPhases("nmap", true, 401)).toMatchObject({
      discoveryTimeoutSeconds: 280,
      serviceTimeoutSeconds: 121,
    });
  });

  test("both phases fill the time-out, or the second has its least", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 604_800 }), (timeoutSeconds) => {
        const phases = jobPhases("nmap", true, timeoutSeconds);
        const { discoveryTimeoutSeconds = 0, serviceTimeoutSeconds = 0 } = phases ?? {};
        expect(discoveryTimeoutSeconds).toBeGreaterThanOrEqual(1);
        expect(serviceTimeoutSeconds).toBeGreaterThanOrEqual(MIN_SERVICE_TIMEOUT_SECONDS);
        const all = discoveryTimeoutSeconds + serviceTimeoutSeconds;
        expect(all === timeoutSeconds || serviceTimeoutSeconds === MIN_SERVICE_TIMEOUT_SECONDS).toBe(true);
        expect(jobTimeoutSeconds("nmap", true, timeoutSeconds)).toBe(all);
      }),
    );
  });
});

describe("with our engine", () => {
  test("and service detection, discovery is 0 to 75 % of the progress", () => {
    expect(jobPhases("syn", true, 3_600)).toMatchObject({ discoveryProgress: 0.75 });
    expect(jobTimeoutSeconds("syn", true, 3_600)).toBe(3_600);
  });

  test("alone there is one phase", () => {
    expect(jobPhases("syn", false, 3_600)).toBeUndefined();
    expect(jobPhases("connect", false, 3_600)).toBeUndefined();
    expect(jobTimeoutSeconds("syn", false, 3_600)).toBe(3_600);
  });
});

test("a job that goes on is told to stop after its time-out and a grace, and given up after twice the grace", () => {
  const timeoutMs = 60_000;
  const verdicts = [
    0,
    TIMEOUT_GRACE_MS - 1,
    TIMEOUT_GRACE_MS,
    2 * TIMEOUT_GRACE_MS - 1,
    2 * TIMEOUT_GRACE_MS,
  ].map((overMs) => timeoutVerdict(timeoutMs + overMs, 60));
  expect(verdicts).toEqual(["within", "within", "stop", "stop", "fail"]);
});
