import { expect, test } from "bun:test";
import { csvRecord } from "./csv-record.ts";

test.each([
  [[1, undefined, null, ""], "1,,,\r\n"],
  [["a,b", 'say "x"'], '"a,b","say ""x"""\r\n'],
  [["=1+1", "+1", "-1", "@x", "'x"], "'=1+1,'+1,'-1,'@x,''x\r\n"],
  [["line\r\nbreak", "\u001B[31m"], "line\\x0D\\x0Abreak,\\x1B[31m\r\n"],
  [["\t=1+1"], "\\x09=1+1\r\n"],
] as const)("%j", (values, line) => {
  expect(csvRecord(values)).toBe(line);
});
