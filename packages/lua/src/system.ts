import { randomBytes, randomInt } from 'node:crypto'
import {
  closeSync,
  fstatSync,
  lstatSync,
  openSync,
  readSync,
  renameSync,
  rmdirSync,
  type Stats,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { EACCES, EBADF, EIO, EISDIR, ENOENT, ESPIPE, errnoOf } from './errno.ts'
import { type Access, allows, type Policy } from './policy.ts'
import { type CommandResult, runShell } from './shell.ts'
import { processorTime, zoneOffset } from './time.ts'
import type { WasmMemory } from './web-assembly.ts'

export interface SystemOptions {
  /** Bytes a script writes to standard output, batched: a character may be cut between two calls. Default: dropped. */
  stdout?: (bytes: Uint8Array) => void
  stderr?: (bytes: Uint8Array) => void
  /** Blocks until there is input; newline included. undefined: end of input (the default). */
  input?: () => Uint8Array | string | undefined
  /** Default `none`. */
  policy?: Policy
  /** What relative paths and commands start from. Default: the process's. May be changed at `vm.system.cwd`. */
  cwd?: string
  /** What os.getenv sees. Default: nothing. May be changed at `vm.system.env`. */
  env?: Readonly<Record<string, string>>
  /** IANA name; default the process's zone. */
  timeZone?: string
  /** Runs a shell command for os.execute and io.popen and waits for it. Default: the system's shell, synchronously. */
  run?: (command: string, options: { cwd: string; env: Readonly<Record<string, string>>; input?: Uint8Array }) => CommandResult
}

type Descriptor =
  | { kind: 'input' | 'output' | 'error' }
  | { kind: 'file'; handle: number; position: number; append: boolean }
  | { kind: 'command-output'; data: Uint8Array; position: number; status: number }
  | { kind: 'command-input'; command: string; chunks: Uint8Array[] }

const FIRST_DESCRIPTOR = 5
const FILE_TYPE = { character: 2, regular: 4 }
const ALL_RIGHTS = 0x1fffffffn
const REALTIME = 0

/** What Lua sees of the outside: the functions that the wasm file imports for files, processes, environment and time. */
export class LuaSystem {
  cwd: string
  env: Readonly<Record<string, string>>
  policy: Policy
  stdout: (bytes: Uint8Array) => void
  stderr: (bytes: Uint8Array) => void
  input: () => Uint8Array | string | undefined
  readonly #timeZone: string | undefined
  readonly #run: NonNullable<SystemOptions['run']>
  readonly #memory: WasmMemory
  readonly #descriptors: Map<number, Descriptor> = new Map([
    [0, { kind: 'input' }],
    [1, { kind: 'output' }],
    [2, { kind: 'error' }],
  ])
  #pendingInput: Uint8Array = new Uint8Array(0)
  #writingOutput = false
  #bytes: Buffer
  #view: DataView
  /** Next free descriptor. A restored state still holds numbers of files that are gone: new ones must not meet them. */
  nextDescriptor: number = FIRST_DESCRIPTOR
  /** Set by the VM: empties the C library's buffer of standard output. */
  emptyBuffer: () => void = () => {}

  constructor(memory: WasmMemory, options: SystemOptions) {
    this.#memory = memory
    this.#bytes = Buffer.from(memory.buffer)
    this.#view = new DataView(memory.buffer)
    this.cwd = options.cwd ?? process.cwd()
    this.env = options.env ?? {}
    this.policy = options.policy ?? 'none'
    this.stdout = options.stdout ?? (() => {})
    this.stderr = options.stderr ?? (() => {})
    this.input = options.input ?? (() => undefined)
    this.#timeZone = options.timeZone
    this.#run = options.run ?? runShell
  }

  imports(): { lua_host: Record<string, unknown>; wasi_snapshot_preview1: Record<string, unknown> } {
    return {
      lua_host: {
        host_open: this.#host((path, length, mode, modeLength) => this.#open(this.#text(path, length), this.#text(mode, modeLength))),
        host_tmpfile: this.#host(() => this.#temporaryFile()),
        host_tmpname: this.#host((buffer, size) => this.#temporaryName(buffer, size)),
        host_remove: this.#host((path, length) => this.#remove(this.#text(path, length))),
        host_rename: this.#host((from, fromLength, to, toLength) => this.#rename(this.#text(from, fromLength), this.#text(to, toLength))),
        host_popen: this.#host((command, length, writing) => this.#popen(this.#text(command, length), writing !== 0)),
        host_pclose: this.#host((fd) => this.#pclose(fd)),
        host_system: this.#host((command, length) => this.#execute(command === 0 ? undefined : this.#text(command, length))),
        host_getenv: (name: number, length: number, buffer: number, size: number) => this.#getenv(this.#text(name, length), buffer, size),
        host_zone: (seconds: number, isLocal: number) => zoneOffset(seconds, isLocal !== 0, this.#timeZone),
        host_processor_time: () => processorTime() / 1e6,
        host_random: () => randomInt(2 ** 32) / 2 ** 32,
      },
      wasi_snapshot_preview1: {
        clock_time_get: (clock: number, _precision: bigint, out: number) => this.#clock(clock, out),
        fd_close: this.#wasi((fd) => this.#close(fd)),
        fd_fdstat_get: this.#wasi((fd, out) => this.#status(fd, out)),
        fd_fdstat_set_flags: () => 0,
        fd_read: this.#wasi((fd, vectors, count, out) => this.#read(fd, vectors, count, out)),
        fd_seek: (fd: number, offset: bigint, whence: number, out: number) => this.#seek(fd, offset, whence, out),
        fd_write: this.#wasi((fd, vectors, count, out) => this.#write(fd, vectors, count, out)),
      },
    }
  }

  /** Hands over buffered output. Nothing to do inside the output callback: the C library is at it. */
  flush(): void {
    if (!this.#writingOutput) this.emptyBuffer()
  }

  // Errors of the system become numbers; others (an interrupt from a callback) must not cross C frames: they come as EIO.

  #host(run: (...args: number[]) => number): (...args: number[]) => number {
    return (...args) => {
      try {
        return run(...args)
      } catch (error) {
        return -(errnoOf(error) ?? this.#unexpected(error))
      }
    }
  }

  #wasi(run: (...args: number[]) => number): (...args: number[]) => number {
    return (...args) => {
      try {
        return run(...args)
      } catch (error) {
        return errnoOf(error) ?? this.#unexpected(error)
      }
    }
  }

  /** Set by the VM: what to do with an exception of a callback. */
  failed: (error: unknown) => void = () => {}

  #unexpected(error: unknown): number {
    this.failed(error)
    return EIO
  }

  // ---- memory ----

  #refresh(): void {
    if (this.#bytes.buffer === this.#memory.buffer) return
    this.#bytes = Buffer.from(this.#memory.buffer)
    this.#view = new DataView(this.#memory.buffer)
  }

  #text(address: number, length: number): string {
    this.#refresh()
    return this.#bytes.toString('utf8', address >>> 0, (address >>> 0) + length)
  }

  #vectors(address: number, count: number): { start: number; length: number }[] {
    this.#refresh()
    const vectors: { start: number; length: number }[] = []
    for (let at = address >>> 0; count > 0; count--, at += 8)
      vectors.push({ start: this.#view.getUint32(at, true), length: this.#view.getUint32(at + 4, true) })
    return vectors
  }

  #put32(address: number, value: number): void {
    this.#refresh()
    this.#view.setUint32(address >>> 0, value, true)
  }

  // ---- files ----

  #path(path: string): string {
    if (path === '') throw Object.assign(new Error('empty path'), { code: 'ENOENT' })
    return resolve(this.cwd, path)
  }

  #allows(access: Access): boolean {
    return allows(this.policy, access)
  }

  #add(descriptor: Descriptor): number {
    const fd = this.nextDescriptor++
    this.#descriptors.set(fd, descriptor)
    return fd
  }

  #open(path: string, mode: string): number {
    if (path === '') return -ENOENT
    const absolute = this.#path(path)
    const flags = mode.replace('b', '')
    const writes = flags !== 'r'
    if (!this.#allows({ kind: writes ? 'write' : 'read', path: absolute })) return -EACCES
    const handle = openSync(absolute, flags)
    // A directory opens for reading, as fopen has it; reading it then fails.
    if (writes && this.#stat(handle).isDirectory()) {
      closeSync(handle)
      return -EISDIR
    }
    return this.#add({ kind: 'file', handle, position: 0, append: flags.startsWith('a') })
  }

  #stat(handle: number): Stats {
    try {
      return fstatSync(handle)
    } catch (error) {
      closeSync(handle)
      throw error
    }
  }

  #temporaryFile(): number {
    const path = temporaryPath()
    if (!this.#allows({ kind: 'write', path })) return -EACCES
    const handle = openSync(path, 'wx+', 0o600)
    unlinkSync(path)
    return this.#add({ kind: 'file', handle, position: 0, append: false })
  }

  #temporaryName(buffer: number, size: number): number {
    const path = temporaryPath()
    if (!this.#allows({ kind: 'write', path })) return -EACCES
    writeFileSync(path, '', { flag: 'wx', mode: 0o600 })
    this.#refresh()
    const written = this.#bytes.write(path, buffer >>> 0, size - 1)
    this.#bytes[(buffer >>> 0) + written] = 0
    return 0
  }

  #remove(path: string): number {
    const absolute = this.#path(path)
    if (!this.#allows({ kind: 'write', path: absolute })) return -EACCES
    if (lstatSync(absolute).isDirectory()) rmdirSync(absolute)
    else unlinkSync(absolute)
    return 0
  }

  #rename(from: string, to: string): number {
    const [a, b] = [this.#path(from), this.#path(to)]
    if (!this.#allows({ kind: 'write', path: a }) || !this.#allows({ kind: 'write', path: b })) return -EACCES
    renameSync(a, b)
    return 0
  }

  #close(fd: number): number {
    const descriptor = this.#descriptors.get(fd)
    if (!descriptor) return EBADF
    if (descriptor.kind === 'file') closeSync(descriptor.handle)
    this.#descriptors.delete(fd)
    return 0
  }

  #status(fd: number, out: number): number {
    const descriptor = this.#descriptors.get(fd)
    if (!descriptor) return EBADF
    this.#refresh()
    const at = out >>> 0
    const standard = descriptor.kind === 'input' || descriptor.kind === 'output' || descriptor.kind === 'error'
    this.#view.setUint8(at, standard ? FILE_TYPE.character : FILE_TYPE.regular)
    this.#view.setUint16(at + 2, descriptor.kind === 'file' && descriptor.append ? 1 : 0, true)
    this.#view.setBigUint64(at + 8, ALL_RIGHTS, true)
    this.#view.setBigUint64(at + 16, ALL_RIGHTS, true)
    return 0
  }

  #seek(fd: number, offset: bigint, whence: number, out: number): number {
    const descriptor = this.#descriptors.get(fd)
    if (!descriptor) return EBADF
    if (descriptor.kind !== 'file') return ESPIPE
    const base = whence === 0 ? 0 : whence === 1 ? descriptor.position : fstatSync(descriptor.handle).size
    const position = base + Number(offset)
    if (position < 0) return 28
    descriptor.position = position
    this.#refresh()
    this.#view.setBigUint64(out >>> 0, BigInt(position), true)
    return 0
  }

  #read(fd: number, vectors: number, count: number, out: number): number {
    const descriptor = this.#descriptors.get(fd)
    if (!descriptor) return EBADF
    let total = 0
    for (const { start, length } of this.#vectors(vectors, count)) {
      if (length === 0) continue
      const chunk = this.#readChunk(descriptor, length)
      this.#refresh()
      this.#bytes.set(chunk, start)
      total += chunk.length
      if (chunk.length < length) break
    }
    this.#put32(out, total)
    return 0
  }

  #readChunk(descriptor: Descriptor, length: number): Uint8Array {
    switch (descriptor.kind) {
      case 'input': {
        if (this.#pendingInput.length === 0) {
          this.flush()
          const line = this.input()
          if (line === undefined) return new Uint8Array(0)
          this.#pendingInput = typeof line === 'string' ? Buffer.from(line) : line
        }
        const chunk = this.#pendingInput.subarray(0, length)
        this.#pendingInput = this.#pendingInput.subarray(chunk.length)
        return chunk
      }
      case 'file': {
        const chunk = Buffer.allocUnsafe(Math.min(length, 1 << 20))
        const read = readSync(descriptor.handle, chunk, 0, chunk.length, descriptor.position)
        descriptor.position += read
        return chunk.subarray(0, read)
      }
      case 'command-output': {
        const chunk = descriptor.data.subarray(descriptor.position, descriptor.position + length)
        descriptor.position += chunk.length
        return chunk
      }
      default:
        throw Object.assign(new Error('not open for reading'), { code: 'EBADF' })
    }
  }

  #write(fd: number, vectors: number, count: number, out: number): number {
    const descriptor = this.#descriptors.get(fd)
    if (!descriptor) return EBADF
    // Copied: callbacks keep the bytes, and the C library reuses its buffer.
    const parts = this.#vectors(vectors, count).map(({ start, length }) => this.#bytes.subarray(start, start + length))
    const data = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
    let at = 0
    for (const part of parts) {
      data.set(part, at)
      at += part.length
    }
    this.#writeAll(descriptor, data)
    this.#put32(out, data.length)
    return 0
  }

  #writeAll(descriptor: Descriptor, data: Uint8Array): void {
    switch (descriptor.kind) {
      case 'output':
        this.#writingOutput = true
        try {
          if (data.length > 0) this.stdout(data)
        } finally {
          this.#writingOutput = false
        }
        return
      case 'error':
        this.flush()
        if (data.length > 0) this.stderr(data)
        return
      case 'file': {
        for (let at = 0; at < data.length; ) {
          const written = writeSync(descriptor.handle, data, at, data.length - at, descriptor.append ? null : descriptor.position)
          at += written
          descriptor.position += written
        }
        return
      }
      case 'command-input':
        descriptor.chunks.push(data)
        return
      default:
        throw Object.assign(new Error('not open for writing'), { code: 'EBADF' })
    }
  }

  // ---- processes, environment, time ----

  #runCommand(command: string, input?: Uint8Array): CommandResult {
    const options = { cwd: this.cwd, env: this.env }
    return this.#run(command, input ? { ...options, input } : options)
  }

  #popen(command: string, writing: boolean): number {
    if (!this.#allows({ kind: 'execute', command })) return -EACCES
    if (writing) return this.#add({ kind: 'command-input', command, chunks: [] })
    const result = this.#runCommand(command)
    if (result.stderr.length > 0) this.stderr(result.stderr)
    return this.#add({ kind: 'command-output', data: result.stdout, position: 0, status: result.status })
  }

  #pclose(fd: number): number {
    const descriptor = this.#descriptors.get(fd)
    if (descriptor?.kind === 'command-output') return descriptor.status
    if (descriptor?.kind === 'command-input') return this.#forward(this.#runCommand(descriptor.command, Buffer.concat(descriptor.chunks)))
    return -EBADF
  }

  #execute(command: string | undefined): number {
    const allowed = this.#allows({ kind: 'execute', command })
    if (command === undefined) return allowed ? 1 : 0
    if (!allowed) return -EACCES
    return this.#forward(this.#runCommand(command))
  }

  #forward(result: CommandResult): number {
    if (result.stdout.length > 0) this.stdout(result.stdout)
    if (result.stderr.length > 0) this.stderr(result.stderr)
    return result.status
  }

  /** Length of the value, which is written if it fits; -1: not set. */
  #getenv(name: string, buffer: number, size: number): number {
    const value = Object.hasOwn(this.env, name) ? this.env[name] : undefined
    if (value === undefined) return -1
    const bytes = Buffer.from(value)
    this.#refresh()
    if (bytes.length < size) this.#bytes.set(bytes, buffer >>> 0)
    return bytes.length
  }

  #clock(clock: number, out: number): number {
    this.#refresh()
    const now = clock === REALTIME ? BigInt(Date.now()) * 1_000_000n : process.hrtime.bigint()
    this.#view.setBigUint64(out >>> 0, now, true)
    return 0
  }

  /** Closes the files that scripts left open. */
  dispose(): void {
    for (const descriptor of this.#descriptors.values()) if (descriptor.kind === 'file') closeSync(descriptor.handle)
    this.#descriptors.clear()
  }
}

function temporaryPath(): string {
  return join(tmpdir(), `lua_${randomBytes(6).toString('hex')}`)
}
