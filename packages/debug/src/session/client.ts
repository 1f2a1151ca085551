import { LlmspellError } from '@llmspell/base'
import type { Dap } from '@llmspell/dap'

/** What the client said of itself, and the way it counts. Inside everything counts from 1. */
export class Client {
  readonly id: string
  readonly name: string
  readonly usesUris: boolean
  readonly wantsTypes: boolean
  readonly wantsMemory: boolean
  readonly wantsInvalidated: boolean
  readonly wantsProgress: boolean
  readonly #lineBase: number
  readonly #columnBase: number

  constructor(said: Partial<Dap.InitializeRequestArguments> = {}) {
    this.id = said.clientID ?? ''
    this.name = said.clientName ?? said.clientID ?? 'a debugger'
    this.usesUris = said.pathFormat === 'uri'
    this.wantsTypes = said.supportsVariableType === true
    this.wantsMemory = said.supportsMemoryReferences === true
    this.wantsInvalidated = said.supportsInvalidatedEvent === true
    this.wantsProgress = said.supportsProgressReporting === true
    this.#lineBase = said.linesStartAt1 === false ? 0 : 1
    this.#columnBase = said.columnsStartAt1 === false ? 0 : 1
  }

  lineToClient(line: number): number {
    return line - 1 + this.#lineBase
  }

  columnToClient(column: number): number {
    return column - 1 + this.#columnBase
  }

  lineFromClient(line: number): number {
    return line + 1 - this.#lineBase
  }

  columnFromClient(column: number): number {
    return column + 1 - this.#columnBase
  }

  pathToClient(path: string): string {
    return this.usesUris
      ? `file://${path
          .replace(/\p{Surrogate}/gu, '\ufffd')
          .split('/')
          .map(encodeURIComponent)
          .join('/')}`
      : path
  }

  /** Also of clients that said `path` and send a `file:` address. */
  pathFromClient(path: string): string {
    if (!path.startsWith('file://')) return path
    try {
      return decodeURIComponent(new URL(path).pathname)
    } catch (error) {
      throw new LlmspellError(`${path.slice(0, 200)} is no address of a file`, { code: 'debug.unknown_source', cause: error })
    }
  }
}
