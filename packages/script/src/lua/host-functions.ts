import { randomUUID } from 'node:crypto'
import { LlmspellError, messageOf } from '@llmspell/base'
import { type HostFunction, LuaError, type LuaVM, results } from '@llmspell/lua'
import { builtinModules } from '../catalogue/builtins.ts'
import type { FunctionDescription } from '../catalogue/catalogue.ts'
import { checkArguments } from '../catalogue/check-arguments.ts'
import type { CommEvent, MimeBundle } from '../engine.ts'
import { bundleOf, DISPLAY_KINDS, type DisplayKind, isBundle, normalizeBundle } from '../host/bundles.ts'
import type { OutputItem } from '../host/output-buffer.ts'
import { fromData, toData } from './host-values.ts'
import { jsonText } from './json-text.ts'
import type { FromWorker, WireError } from './protocol.ts'

/** What the functions need of their namespace. */
export interface NamespaceServices {
  readonly vm: LuaVM
  readonly nullObject: object
  executionId(): string
  /** Blocks for the kernel's reply; throws HostFailure or LuaInterrupted. */
  request(make: (call: number) => FromWorker): unknown
  sleep(ms: number): void
  post(message: FromWorker): void
  output(item: OutputItem, size: number): void
  /** A function of the kernel has refused. */
  failed(name: string): void
}

/** A refusal by the kernel, as it arrived. */
export class HostFailure extends Error {
  readonly wire: WireError

  constructor(wire: WireError) {
    super(wire.message)
    this.wire = wire
  }
}

type Implementation = (...args: unknown[]) => unknown

/**
 * What prelude.lua builds the globals from. Each function gives `true, result` or `false, failure`: the prelude raises the failure,
 * so that it is a Lua table which tells its place.
 */
export function hostFunctions(services: NamespaceServices): Record<string, unknown> {
  const { vm, nullObject } = services
  const data = (value: unknown, where: string): unknown => toData(value, nullObject, where)

  const checked = (module: string, name: string, args: readonly unknown[]): unknown[] => {
    const description = describe(module, name)
    const where = module === '' ? name : `${module}.${name}`
    return checkArguments(
      module,
      description,
      args.map((value) => data(value, where)),
    )
  }

  const display = (bundle: MimeBundle, options: unknown, more: { displayId?: string; update?: boolean } = {}): void => {
    const { id, metadata } = (options ?? {}) as { id?: string; metadata?: Record<string, unknown> }
    const displayId = more.displayId ?? id
    services.output(
      {
        type: 'display',
        data: bundle,
        metadata: metadata ?? {},
        ...(displayId !== undefined && { displayId }),
        ...(more.update && { update: true }),
      },
      sizeOf(bundle),
    )
  }

  const implementations: Record<string, Implementation> = {
    call(name, ...args) {
      const plain = args.map((value) => data(value, String(name)))
      try {
        return services.request((call) => ({ type: 'call', call, name: String(name), args: plain, executionId: services.executionId() }))
      } catch (error) {
        if (error instanceof HostFailure) services.failed(String(name))
        throw error
      }
    },
    display(bundle, options) {
      const [value, checkedOptions] = checked('', 'display', [bundle, options])
      display(normalizeBundle(value as MimeBundle), checkedOptions)
    },
    show(kind, ...args) {
      const [value, options] = checked('Display', String(kind), args)
      display(bundleOf(kind as DisplayKind, value), options)
    },
    update(...args) {
      const [id, value] = checked('Display', 'update', args)
      const bundle = isBundle(value) ? normalizeBundle(value) : { 'text/plain': String(value) }
      display(bundle, {}, { displayId: String(id), update: true })
    },
    clear(...args) {
      const [wait] = checked('Display', 'clear', args)
      services.output({ type: 'clear', wait: wait === true }, 1)
    },
    input(...args) {
      const [prompt, options] = checked('', 'input', args)
      const password = (options as { password?: boolean } | undefined)?.password === true
      return services.request((call) => ({
        type: 'input',
        call,
        prompt: String(prompt ?? ''),
        password,
        executionId: services.executionId(),
      }))
    },
    sleep(...args) {
      const [seconds] = checked('', 'sleep', args)
      const ms = Number(seconds) * 1000
      if (!(ms >= 0)) throw new LlmspellError('sleep: the number of seconds must not be negative', { code: 'argument.value' })
      services.sleep(ms)
    },
    parse(...args) {
      const [text] = checked('JSON', 'parse', args)
      try {
        return JSON.parse(String(text)) ?? nullObject
      } catch (error) {
        throw new LlmspellError(`JSON.parse: ${messageOf(error)}`, { code: 'json.syntax' })
      }
    },
    stringify(...args) {
      const [value, indent] = checked('JSON', 'stringify', args)
      return jsonText(value, indent === undefined ? undefined : Number(indent))
    },
    log(level, ...args) {
      const [message, fields] = checked('Log', String(level), args)
      services.post({
        type: 'log',
        level: level as 'info',
        message: String(message),
        ...(fields !== undefined && { fields: fields as Record<string, unknown> }),
      })
    },
    comm_open(target, value, metadata, buffers) {
      const [name, opened, about] = checked('Comm', 'open', [target, value, metadata])
      const commId = randomUUID()
      comm({ ...commMessage(commId, opened, about, buffers), type: 'open', targetName: String(name) })
      return commId
    },
    comm_send(id, value, metadata, buffers) {
      comm({ ...commMessage(String(id), data(value, 'comm:send'), data(metadata, 'comm:send'), buffers), type: 'msg' })
    },
    comm_close(id, value) {
      comm({ ...commMessage(String(id), data(value, 'comm:close'), undefined, undefined), type: 'close' })
    },
  }

  const commMessage = (commId: string, value: unknown, metadata: unknown, buffers: unknown): Omit<CommEvent, 'type' | 'targetName'> => ({
    executionId: services.executionId(),
    commId,
    data: value ?? {},
    metadata: (metadata ?? {}) as Record<string, unknown>,
    buffers: Array.isArray(buffers) ? buffers.map(bytesOf) : [],
  })
  const comm = (event: CommEvent): void => services.post({ type: 'comm', event })

  const functions: Record<string, HostFunction> = {}
  for (const [name, run] of Object.entries(implementations)) {
    functions[name] = vm.function(`llmspell.${name}`, (...args: unknown[]) => {
      try {
        return results(true, fromData(run(...args), nullObject))
      } catch (error) {
        if (error instanceof LuaError) throw error
        return results(false, fromData(failureOf(error), nullObject))
      }
    })
  }
  functions['comm_known'] = vm.function('llmspell.comm_known', (comms: string[], targets: string[]) => {
    services.post({ type: 'targets', comms: Object.values(comms), targets: Object.values(targets) })
  })
  return { ...functions, kinds: [...DISPLAY_KINDS], null: nullObject }
}

function describe(module: string, name: string): FunctionDescription {
  for (const candidate of builtinModules) {
    if ((candidate.global ? '' : candidate.name) !== module) continue
    const found = candidate.functions.find((description) => description.name === name)
    if (found) return found
  }
  throw new Error(`no description of ${module}.${name}`)
}

function failureOf(error: unknown): WireError {
  if (error instanceof HostFailure) return error.wire
  if (LlmspellError.is(error)) {
    return { message: error.message, code: error.code, data: error.data, ...(error.hint !== undefined && { hint: error.hint }) }
  }
  return { message: messageOf(error) }
}

function bytesOf(buffer: unknown): Uint8Array {
  if (typeof buffer === 'string') return new TextEncoder().encode(buffer)
  if (buffer instanceof Uint8Array) return buffer
  throw new LlmspellError('buffers must be strings', { code: 'argument.type' })
}

/** For back-pressure: about how much of the window a bundle takes. */
function sizeOf(bundle: MimeBundle): number {
  let size = 0
  for (const value of Object.values(bundle)) size += typeof value === 'string' ? value.length : 1_000
  return size
}
