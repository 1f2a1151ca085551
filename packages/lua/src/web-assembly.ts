/** The part of the WebAssembly API this package uses, typed here so that users need no DOM types. */

export interface WasmMemory {
  readonly buffer: ArrayBuffer | SharedArrayBuffer
  /** Adds 64 KiB pages; returns the number there were. */
  grow(pages: number): number
}

/** A compiled module: can be posted to other threads, which then share its compiled code. */
export type WasmModule = object

export interface WasmGlobal {
  value: number
}

export interface WasmInstance {
  readonly exports: Record<string, unknown>
}

interface WebAssemblyApi {
  Module: new (bytes: Uint8Array) => WasmModule
  Instance: new (module: WasmModule, imports: Record<string, Record<string, unknown>>) => WasmInstance
  Memory: new (limits: { initial: number; maximum?: number; shared?: boolean }) => WasmMemory
  Exception: new () => object
  RuntimeError: new () => Error
}

export const webAssembly: WebAssemblyApi = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly

export const PAGE = 65536
