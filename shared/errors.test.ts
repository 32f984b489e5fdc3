/** The error family: what callers switch on, and what people are shown. */

import { describe, expect, test } from "bun:test";
import { errorMessage, PortolanError, UsageError } from "./errors.ts";

describe("PortolanError", () => {
  test("carries code, message, details and cause", () => {
    const cause = new Error("socket closed");
    const error = new PortolanError("UNREACHABLE", "control plane not reachable", {
      retryable: true,
      details: { address: "127.0.0.1" },
      cause,
    });
    expect(error).toBeInstanceOf(Error);
    expect(error.name).toBe("PortolanError");
    expect(error.code).toBe("UNREACHABLE");
    expect(error.message).toBe("control plane not reachable");
    expect(error.retryable).toBe(true);
    expect(error.details).toEqual({ address: "127.0.0.1" });
    expect(error.cause).toBe(cause);
  });

  test("is not retryable unless it says so, and has no cause unless given one", () => {
    const error = new PortolanError("X", "x");
    expect(error.retryable).toBe(false);
    expect(error.details).toBeUndefined();
    expect("cause" in error).toBe(false);
  });
});

describe("UsageError", () => {
  test("is of the family and told apart by class and name", () => {
    const error = new UsageError("INVALID_PORT", "no port");
    expect(error).toBeInstanceOf(PortolanError);
    expect(new PortolanError("X", "x")).not.toBeInstanceOf(UsageError);
    expect(error.name).toBe("UsageError");
    expect(error.retryable).toBe(false);
  });
});

describe("errorMessage", () => {
  test("shows the message of an error and the text of anything else", () => {
    expect(errorMessage(new PortolanError("X", "no route to host"))).toBe("no route to host");
    expect(errorMessage("plain text")).toBe("plain text");
    expect(errorMessage(undefined)).toBe("undefined");
    expect(errorMessage(42)).toBe("42");
  });
});
