import type { Expression, Statement } from './toy-language.ts'

export interface Frame {
  name: string
  source: string
  line: number
  locals: Map<string, unknown>
  /** The step at which it was entered. */
  entered: number
  fresh: boolean
}

export interface ToyFunction {
  name: string
  params: string[]
  body: Statement[]
  source: string
}

export class ToyError extends Error {
  announced = false
}

/** Before each statement, and where an error is raised. */
export type Step = { kind: 'line' } | { kind: 'raise'; error: ToyError; caught: boolean }
type Running<T> = Generator<Step, T, void>
const RETURN = Symbol('return')

/** Runs programs step by step. All state is here, so that a run can be repeated. */
export class ToyMachine {
  readonly frames: Frame[] = []
  globals = new Map<string, unknown>()
  steps = 0
  #tries = 0
  readonly #print: (text: string) => void

  constructor(print: (text: string) => void) {
    this.#print = print
  }

  *run(source: string, body: readonly Statement[]): Running<void> {
    yield* this.#inFrame({ name: 'main', source, line: 0, locals: this.globals, entered: this.steps, fresh: true }, body)
  }

  *#inFrame(frame: Frame, body: readonly Statement[]): Running<unknown> {
    this.frames.unshift(frame)
    try {
      const result = yield* this.#block(body)
      return Array.isArray(result) && result[0] === RETURN ? result[1] : null
    } finally {
      this.frames.shift()
    }
  }

  *#block(body: readonly Statement[]): Running<unknown> {
    for (const statement of body) {
      if (statement.kind === 'catch') continue
      const result = yield* this.#statement(statement, body)
      if (result !== undefined) return result
    }
    return undefined
  }

  *#statement(statement: Statement, siblings: readonly Statement[]): Running<unknown> {
    const { kind, line, values, body } = statement
    const frame = this.#top
    frame.line = line
    const [first, second] = values
    const value = (expression: Expression | undefined): Running<unknown> => this.evaluate(expression as Expression, frame)
    if (kind === 'try') {
      this.#tries++
      try {
        const result = yield* this.#block(body)
        this.#tries--
        return result
      } catch {
        this.#tries--
        return yield* this.#block(siblings[siblings.indexOf(statement) + 1]?.body ?? [])
      }
    }
    if (kind !== 'def') {
      this.steps++
      yield { kind: 'line' }
      frame.fresh = false
    }
    try {
      switch (kind) {
        case 'def':
          this.globals.set(statement.name ?? '', {
            name: statement.name,
            params: statement.params,
            body,
            source: frame.source,
          } as ToyFunction)
          return undefined
        case 'print': {
          const shown: string[] = []
          for (const each of values) shown.push(plain(yield* value(each)))
          this.#print(`${shown.join(' ')}\n`)
          return undefined
        }
        case 'return':
          return [RETURN, yield* value(first)]
        case 'raise':
          throw new ToyError(String(yield* value(first)))
        case 'if':
          return (yield* value(first)) ? yield* this.#block(body) : undefined
        case 'while':
          while (yield* value(first)) {
            const result = yield* this.#block(body)
            if (result !== undefined) return result
          }
          return undefined
        case 'for': {
          const to = Number(yield* value(second))
          for (let at = Number(yield* value(first)); at <= to; at++) {
            frame.locals.set(statement.name ?? '', at)
            const result = yield* this.#block(body)
            if (result !== undefined) return result
          }
          return undefined
        }
        case 'assign':
          this.assign(statement.target as Expression, yield* value(first), frame)
          return undefined
        default:
          yield* value(first)
          return undefined
      }
    } catch (error) {
      if (error instanceof ToyError && !error.announced) {
        error.announced = true
        yield { kind: 'raise', error, caught: this.#tries > 0 }
      }
      throw error
    }
  }

  /** `pure`: refuses calls. */
  *evaluate(expression: Expression, frame: Frame | undefined, pure = false): Running<unknown> {
    switch (expression.kind) {
      case 'value':
        return expression.value
      case 'name':
        return this.#read(expression.name, frame)
      case 'list': {
        const items: unknown[] = []
        for (const item of expression.items) items.push(yield* this.evaluate(item, frame, pure))
        return items
      }
      case 'record': {
        const record = new Map<string, unknown>()
        for (const [name, field] of expression.fields) record.set(name, yield* this.evaluate(field, frame, pure))
        return record
      }
      case 'field':
      case 'index': {
        const of = yield* this.evaluate(expression.of, frame, pure)
        const at = expression.kind === 'field' ? expression.name : yield* this.evaluate(expression.at, frame, pure)
        if (of instanceof Map) return of.get(String(at)) ?? null
        if (Array.isArray(of) || of instanceof Uint8Array) return of[Number(at)] ?? null
        throw new ToyError(`'${plain(of)}' has no ${String(at)}`)
      }
      case 'call': {
        if (pure) throw new ToyError(`'${expression.callee}' is not called: it might change something`)
        const args: unknown[] = []
        for (const arg of expression.args) args.push(yield* this.evaluate(arg, frame, pure))
        return yield* this.#call(expression.callee, args, frame)
      }
      case 'binary': {
        const left = yield* this.evaluate(expression.left, frame, pure)
        const right = yield* this.evaluate(expression.right, frame, pure)
        return calculate(expression.operator, left, right)
      }
    }
  }

  assign(target: Expression, value: unknown, frame: Frame | undefined): void {
    if (target.kind === 'name') {
      const { name } = target
      const isGlobal = !frame || (!frame.locals.has(name) && this.globals.has(name))
      ;(isGlobal ? this.globals : frame.locals).set(name, value)
      return
    }
    if (target.kind !== 'field' && target.kind !== 'index') throw new ToyError('this cannot be assigned')
    const of = this.complete(this.evaluate(target.of, frame))
    const at = target.kind === 'field' ? target.name : this.complete(this.evaluate(target.at, frame))
    if (of instanceof Map) of.set(String(at), value)
    else if (Array.isArray(of)) of[Number(at)] = value
    else throw new ToyError(`'${plain(of)}' holds nothing`)
  }

  /** To its end at once; what it passes stops nowhere. */
  complete<T>(running: Running<T>): T {
    for (;;) {
      const step = running.next()
      if (step.done) return step.value
    }
  }

  get #top(): Frame {
    return this.frames[0] as Frame
  }

  #read(name: string, frame: Frame | undefined): unknown {
    if (frame?.locals.has(name)) return frame.locals.get(name)
    if (this.globals.has(name)) return this.globals.get(name)
    if (name === '_G') return this.globals
    throw new ToyError(`there is no variable ${name}`)
  }

  *#call(name: string, args: unknown[], frame: Frame | undefined): Running<unknown> {
    if (name === 'range') return Array.from({ length: Number(args[0]) }, (_, at) => (at + 1) * Number(args[1]))
    if (name === 'bytes') return Uint8Array.from(args.map(Number))
    if (name === 'repeat') return String(args[0]).repeat(Number(args[1]))
    const callee = this.#read(name, frame) as Partial<ToyFunction> | null
    if (!callee?.body || !callee.params) throw new ToyError(`${name} is no function`)
    const locals = new Map(callee.params.map((param, at) => [param, args[at] ?? null]))
    return yield* this.#inFrame({ name, source: callee.source ?? '', line: 0, locals, entered: this.steps, fresh: true }, callee.body)
  }
}

function calculate(operator: string, left: unknown, right: unknown): unknown {
  if (operator === '==') return left === right
  if (operator === '!=') return left !== right
  if (operator === '+' && typeof left === 'string') return left + plain(right)
  if (typeof left !== 'number' || typeof right !== 'number') throw new ToyError(`${plain(left)} ${operator} ${plain(right)} makes no sense`)
  switch (operator) {
    case '+':
      return left + right
    case '-':
      return left - right
    case '*':
      return left * right
    case '%':
      return left % right
    case '<':
      return left < right
    case '<=':
      return left <= right
    case '>':
      return left > right
    default:
      return left >= right
  }
}

export function plain(value: unknown): string {
  if (value === null || value === undefined) return 'nil'
  if (value instanceof Map) return 'record'
  if (Array.isArray(value)) return 'list'
  if (value instanceof Uint8Array) return 'bytes'
  return typeof value === 'object' ? 'function' : String(value)
}
