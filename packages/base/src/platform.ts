// Platform strings ("linux/arm64/v8") and the normal form containerd compares (platforms package).
import { LapError } from "./errors.ts";
import type { Platform } from "./oci-image.ts";

const ARCH_ALIASES: Readonly<Record<string, readonly [string, string?]>> = {
  x86_64: ["amd64"],
  "x86-64": ["amd64"],
  i386: ["386"],
  i686: ["386"],
  aarch64: ["arm64"],
  armhf: ["arm", "v7"],
  armel: ["arm", "v6"],
  wasm32: ["wasm"],
};

/** Normal form: aliases resolved, arm64/v8 and arm/v7 written without their default variant. */
export function normalizePlatform(platform: Platform): Platform {
  const alias = ARCH_ALIASES[platform.architecture.toLowerCase()];
  const architecture = alias?.[0] ?? platform.architecture.toLowerCase();
  const variant = platform.variant ?? alias?.[1];
  const isDefault = (architecture === "arm64" && variant === "v8") || (architecture === "arm" && variant === "v7");
  const base: Platform = { os: platform.os.toLowerCase(), architecture };
  return variant === undefined || isDefault ? base : { ...base, variant };
}

/** Parses `os/arch[/variant]`; a lone word is an architecture of linux. Throws `ERR_LAP_PLATFORM_INVALID`. */
export function parsePlatform(text: string): Platform {
  const parts = text.split("/");
  if (parts.length > 3 || parts.some((part) => !/^[A-Za-z0-9_.-]+$/.test(part))) {
    throw new LapError("invalidArgument", "ERR_LAP_PLATFORM_INVALID", `invalid platform "${text}"`, {
      hint: "a platform is os/arch or os/arch/variant, for example linux/amd64 or wasip1/wasm",
    });
  }
  const [first, architecture, variant] = parts as [string, string?, string?];
  if (architecture === undefined) return normalizePlatform({ os: "linux", architecture: first });
  return normalizePlatform({ os: first, architecture, ...(variant === undefined ? {} : { variant }) });
}

/** `os/arch[/variant]`. */
export function formatPlatform(platform: Platform): string {
  const tail = platform.variant === undefined ? "" : `/${platform.variant}`;
  return `${platform.os}/${platform.architecture}${tail}`;
}

/** True for the platforms that run in the Wasm sandbox. */
export function isWasmPlatform(platform: Platform): boolean {
  return normalizePlatform(platform).architecture === "wasm";
}

/** True when both name the same platform after normalisation. */
export function samePlatform(a: Platform, b: Platform): boolean {
  return formatPlatform(normalizePlatform(a)) === formatPlatform(normalizePlatform(b));
}
