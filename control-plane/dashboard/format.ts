/** Numbers and times as people read them. English, and the same in every browser. */

const BYTE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
const NOT_KNOWN = "–";

/** `1.5 GiB` */
export function formatBytes(bytes: number | undefined): string {
  if (bytes === undefined) return NOT_KNOWN;
  let value = bytes;
  let unit = 0;
  while (value >= 1_024 && unit < BYTE_UNITS.length - 1) {
    value /= 1_024;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${BYTE_UNITS[unit]}`;
}

/** `1,234,567` */
export function formatCount(count: number): string {
  return count.toLocaleString("en-US");
}

/** Never 100 % before all of it is there. */
export function formatShare(share: number): string {
  const percent = share * 100;
  return `${share < 1 ? Math.min(99.9, Math.floor(percent * 10) / 10) : 100} %`;
}

/** `12 s ago`. A clock that runs behind the server's makes nothing lie in the future. */
export function formatAgo(timestamp: string | null, nowMs: number): string {
  if (timestamp === null) return "never";
  const seconds = Math.max(0, Math.floor((nowMs - Date.parse(timestamp)) / 1_000));
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}

/** `2026-01-27 10:30:00` in the time zone of whoever looks. */
export function formatTime(timestamp: string | null): string {
  return timestamp === null ? NOT_KNOWN : new Date(timestamp).toLocaleString("sv-SE");
}

/** `0.42 / 4`: load over the last minute, and processors. */
export function formatLoad(load: number | undefined, processors: number | undefined): string {
  if (load === undefined) return NOT_KNOWN;
  return processors === undefined ? load.toFixed(2) : `${load.toFixed(2)} / ${processors}`;
}

/** Share of the memory that no program could have, in whole percents. */
export function formatMemoryUsed(total: number | undefined, available: number | undefined): string {
  if (total === undefined || available === undefined || total === 0) return NOT_KNOWN;
  return `${Math.round((1 - Math.min(available, total) / total) * 100)} %`;
}

/**
 * What cannot be seen, or changes how the text around it is seen, in a form that can: `\u202e`, `\x1b`. Lines may end as
 * network protocols end them.
 */
export function makeVisible(text: string): string {
  return text.replaceAll("\r\n", "\n").replaceAll(/[^\P{C}\n]|[\u2028\u2029]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    if (code <= 0xff) return `\\x${code.toString(16).padStart(2, "0")}`;
    return code <= 0xffff ? `\\u${code.toString(16).padStart(4, "0")}` : `\\u{${code.toString(16)}}`;
  });
}
