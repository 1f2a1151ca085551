/** Error numbers of WASI, which the C library inside the VM speaks. Lua scripts see the usual numbers of Linux (wasm/c/files.c). */
const ERRNO: Record<string, number> = {
  E2BIG: 1,
  EACCES: 2,
  EAGAIN: 6,
  EBADF: 8,
  EBUSY: 10,
  EEXIST: 20,
  EFBIG: 22,
  EINVAL: 28,
  EIO: 29,
  EISDIR: 31,
  ELOOP: 32,
  EMFILE: 33,
  ENAMETOOLONG: 37,
  ENFILE: 41,
  ENODEV: 43,
  ENOENT: 44,
  ENOEXEC: 45,
  ENOMEM: 48,
  ENOSPC: 51,
  ENOSYS: 52,
  ENOTDIR: 54,
  ENOTEMPTY: 55,
  ENOTSUP: 58,
  ENXIO: 60,
  EPERM: 63,
  EPIPE: 64,
  EROFS: 69,
  ESPIPE: 70,
  ETIMEDOUT: 73,
  ETXTBSY: 74,
  EXDEV: 75,
}

export const EACCES = 2
export const EBADF = 8
export const EIO = 29
export const EISDIR = 31
export const ENOENT = 44
export const ESPIPE = 70

/** The number for an error of node:fs or node:child_process; undefined: not an error of the system, but a bug. */
export function errnoOf(error: unknown): number | undefined {
  const code = (error as { code?: unknown } | null)?.code
  if (typeof code !== 'string') return undefined
  return ERRNO[code] ?? (/^E[A-Z0-9]+$/.test(code) ? EIO : undefined)
}
