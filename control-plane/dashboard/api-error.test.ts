import { describe, expect, test } from "bun:test";
import { ApiError, formErrors } from "./api-error.ts";

const FIELDS = ["name", "targets", "ports"];

describe("the errors of a form", () => {
  test("stand at the field that the server names, the first for each", () => {
    const issues = [
      { path: "targets.3", message: "too long" },
      { path: "targets.5", message: "too long as well" },
      { path: "name", message: "must be letters, digits and hyphens" },
    ];
    const error = new ApiError("INVALID_REQUEST", "targets.3: too long", { issues });
    expect(formErrors(error, FIELDS)).toEqual({
      targets: "too long",
      name: "must be letters, digits and hyphens",
    });
  });

  test("stand at the form where the field is not on it", () => {
    const issues = [{ path: "engine", message: "unknown" }];
    const error = new ApiError("INVALID_REQUEST", "engine: unknown", { issues });
    expect(formErrors(error, FIELDS)).toEqual({ form: "engine: unknown" });
  });

  test.each([
    ["INVALID_TARGET", "targets"],
    ["SCOPE_TOO_LARGE", "targets"],
    ["INVALID_PORT", "ports"],
    ["CONFLICT", "form"],
    ["UNREACHABLE", "form"],
  ])("with the code %s stand at %s", (code, field) => {
    expect(formErrors(new ApiError(code, "no"), FIELDS)).toEqual({ [field]: "no" });
  });

  test("are the server's: a mistake of ours is thrown on", () => {
    const mistake = new TypeError("undefined is not a function");
    expect(() => formErrors(mistake, FIELDS)).toThrow(mistake);
  });
});
