import { Session } from 'node:inspector'

/** Bounds a look into a script thread that is stuck in native code, where it cannot answer. */
const ANSWER_MS = 400

export interface RemoteObject {
  type: string
  subtype?: string
  className?: string
  value?: unknown
  unserializableValue?: string
  description?: string
  objectId?: string
}

export interface Evaluated {
  result: RemoteObject
  exceptionDetails?: { text: string }
}

/** The guard's look into the script thread: short commands only, answered also while user code runs. */
export class ScriptInspector {
  readonly #session = new Session()
  #group = 0
  #global: RemoteObject | undefined

  constructor() {
    this.#session.connectToMainThread()
  }

  disconnect(): void {
    this.#session.disconnect()
  }

  /** Resolves with undefined when it fails or is not answered in time. */
  post<T>(method: string, params?: object, ms: number = ANSWER_MS): Promise<T | undefined> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(undefined), ms)
      this.#session.post(method, params, (error, result) => {
        // Called in the middle of whatever this thread does: go on from the event loop.
        setImmediate(() => {
          clearTimeout(timer)
          resolve(error ? undefined : (result as T))
        })
      })
    })
  }

  /** Without a time limit: tells when the termination has struck. */
  terminate(): Promise<void> {
    return new Promise((resolve) => {
      this.#session.post('Runtime.terminateExecution', () => {
        setImmediate(resolve)
      })
    })
  }

  /** Runs with the values of expressions that have no side effects; lets go of them afterwards. */
  async withValue<T>(expression: string, use: (value: RemoteObject) => Promise<T>): Promise<T | undefined> {
    const objectGroup = `look${++this.#group}`
    const evaluated = await this.post<Evaluated>('Runtime.evaluate', {
      expression,
      objectGroup,
      throwOnSideEffect: true,
      silent: true,
      timeout: 100,
    })
    if (!evaluated || evaluated.exceptionDetails) return undefined
    try {
      return await use(evaluated.result)
    } finally {
      void this.post('Runtime.releaseObjectGroup', { objectGroup })
    }
  }

  /**
   * What a function returns, as JSON, called with a value in the script thread. V8 does not watch it for side effects (that takes
   * a millisecond): it must have none by itself.
   */
  async ask<T>(value: RemoteObject, functionDeclaration: string, ...args: unknown[]): Promise<T | undefined> {
    if (value.objectId === undefined || value.subtype === 'proxy') return undefined
    const answer = await this.post<Evaluated>('Runtime.callFunctionOn', {
      functionDeclaration,
      objectId: value.objectId,
      arguments: args.map((one) => ({ value: one })),
      returnByValue: true,
      silent: true,
    })
    return answer && !answer.exceptionDetails ? (answer.result.value as T) : undefined
  }

  /** The global object of the script thread. */
  async global(): Promise<RemoteObject | undefined> {
    this.#global ??= (await this.post<Evaluated>('Runtime.evaluate', { expression: 'globalThis', objectGroup: 'guard' }))?.result
    return this.#global
  }

  /** Names declared by `let`, `const` and `class` of cells. */
  async lexicalNames(): Promise<string[]> {
    return (await this.post<{ names: string[] }>('Runtime.globalLexicalScopeNames', {}))?.names ?? []
  }
}
