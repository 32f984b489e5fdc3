import { describe, expect, test } from "bun:test";
import { FakeClock } from "../testing/fake-clock.ts";
import { AttemptLimiter } from "./attempt-limiter.ts";

function limiter(limit: number): { clock: FakeClock; limiter: AttemptLimiter } {
  const clock = new FakeClock();
  return { clock, limiter: new AttemptLimiter(clock, limit) };
}

describe("the limiter", () => {
  test("refuses from the first attempt beyond the limit, and says how long", () => {
    const { clock, limiter: attempts } = limiter(2);
    expect(attempts.count("192.0.2.1")).toBeUndefined();
    clock.advance(20_000);
    expect(attempts.count("192.0.2.1")).toBeUndefined();
    expect(attempts.count("192.0.2.1")).toBe(40);
    clock.advance(39_001);
    expect(attempts.count("192.0.2.1")).toBe(1);
  });

  test("allows again when a minute has passed since; refused attempts do not prolong it", () => {
    const { clock, limiter: attempts } = limiter(1);
    attempts.count("192.0.2.1");
    clock.advance(59_999);
    expect(attempts.count("192.0.2.1")).toBe(1);
    clock.advance(1);
    expect(attempts.count("192.0.2.1")).toBeUndefined();
  });

  test("counts addresses apart, and an IPv6 network of /64 as one", () => {
    const { limiter: attempts } = limiter(1);
    expect(attempts.count("192.0.2.1")).toBeUndefined();
    expect(attempts.count("192.0.2.2")).toBeUndefined();
    expect(attempts.count("2001:db8::1")).toBeUndefined();
    expect(attempts.count("2001:db8::2")).toBe(60);
    expect(attempts.count("2001:db8:0:1::1")).toBeUndefined();
  });

  test("remembers a bounded number of addresses, and forgets the least recent", () => {
    const { limiter: attempts } = limiter(1);
    attempts.count("first");
    for (let i = 0; i < 9_999; i++) attempts.count(`address-${i}`);
    expect(attempts.count("first")).toBe(60);
    for (let i = 0; i < 10_000; i++) attempts.count(`other-${i}`);
    expect(attempts.count("first")).toBeUndefined();
  });
});
