import type { Runtime } from 'node:inspector'
import { LlmspellError } from '@llmspell/base'
import type { Variable, VariablesPage } from '@llmspell/debug'
import { CONSTANT, DEBUG_HOOK, DYNAMIC_IMPORT, IMPORT_META } from '../../source/rewrite.ts'
import type { Survey } from './agent.ts'
import type { AgentLink } from './agent-link.ts'
import type { Protocol } from './protocol.ts'
import { isLarge, isLongText, showRemote, typeOf } from './show-remote.ts'

const PAGE_MAX = 10_000
/** More properties than that are read in pages, without what V8 alone can see. */
const WHOLE_MAX = 1000
/** From so many on a client is told the number of properties, so that it can ask for pages. */
const COUNTED_MIN = 100
export const NAME: RegExp = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u
const INTERNAL = new Set([CONSTANT, DEBUG_HOOK, DYNAMIC_IMPORT, IMPORT_META])
const BUFFERS =
  /^(?:ArrayBuffer|SharedArrayBuffer|DataView|Buffer|(?:Uint8Clamped|Big(?:Ui|I)nt64|(?:Ui|I)nt(?:8|16|32)|Float(?:16|32|64))Array)$/

/** What can be opened. */
export type Reference =
  | { kind: 'object'; objectId: string; path: string | undefined; proxy?: boolean; standIn?: boolean }
  /** `[[Entries]]` of a Map or Set. */
  | { kind: 'entries'; objectId: string; count: number }
  /** A getter that has not been run. */
  | { kind: 'getter'; holder: string; key: string; receiver: string; path: string | undefined }
  | ScopeReference
  | NamespaceReference

export interface ScopeReference {
  kind: 'scope'
  objectId: string
  callFrameId: string
  /** Place in the frame's chain of scopes. */
  index: number
  type: string
  /** Shown first: `this` and what is being returned. */
  extra: { name: string; value: Runtime.RemoteObject }[]
  /** The scopes inside of it, whose names hide its own. */
  inner: readonly string[]
  /** The global object, when what scripts have put there is shown, too. */
  global?: string
}

/** Everything that scripts made in the namespace, read when it is looked at. */
export interface NamespaceReference {
  kind: 'namespace'
}

/** What Node's types leave out. */
interface Properties extends Runtime.GetPropertiesReturnType {
  privateProperties?: { name: string; value?: Runtime.RemoteObject }[]
}

/** Values by the numbers that clients know them by, until the script goes on. */
export class Variables {
  readonly #protocol: Protocol
  readonly #agent: AgentLink
  readonly #references = new Map<number, Reference>()
  readonly #memory = new Map<string, string>()
  /** Scopes that are not what V8 has shown at the stop any more, unless they have been read again. */
  #stale = false
  #last = 0
  #group = 0

  constructor(protocol: Protocol, agent: AgentLink) {
    this.#protocol = protocol
    this.#agent = agent
  }

  /** V8 keeps what belongs to it until `forget`. */
  get group(): string {
    return `stop${this.#group}`
  }

  /** Code has run that may have changed variables: V8's picture of scopes is from before. */
  changed(): void {
    this.#stale = true
  }

  forget(): void {
    this.#stale = false
    this.#references.clear()
    this.#memory.clear()
    this.#protocol.send('Runtime.releaseObjectGroup', { objectGroup: this.group })
    this.#group++
  }

  refer(reference: Reference): number {
    this.#references.set(++this.#last, reference)
    return this.#last
  }

  get(reference: number): Reference {
    const found = this.#references.get(reference)
    if (!found) {
      throw new LlmspellError('this value belongs to a moment that is over', {
        code: 'debug.stale_reference',
        hint: 'Open it again from the stack that is shown now.',
      })
    }
    return found
  }

  describe(name: string, object: Runtime.RemoteObject, path?: string, whole = false): Variable {
    const variable: Variable = { name, value: showRemote(object, whole), type: typeOf(object), reference: 0 }
    if (path !== undefined) variable.evaluateName = path
    if (object.objectId === undefined || isLongText(object)) return variable
    if (object.type === 'object' || object.type === 'function') {
      variable.reference = this.refer({
        kind: 'object',
        objectId: object.objectId,
        path,
        ...(object.subtype === 'proxy' && { proxy: true }),
        ...(isLarge(object) && { standIn: true }),
      })
    }
    const size = /\((\d+)\)$/.exec(object.description ?? '')?.[1]
    if ((object.subtype === 'array' || object.subtype === 'typedarray') && size !== undefined) variable.indexed = Number(size)
    if (BUFFERS.test(object.className ?? '') && object.type === 'object') variable.memoryReference = this.#memoryOf(object.objectId)
    if (object.type === 'function') variable.hint = { kind: /^class\b/.test(object.description ?? '') ? 'class' : 'method' }
    return variable
  }

  async expand(reference: number, page: VariablesPage): Promise<Variable[]> {
    const found = this.get(reference)
    switch (found.kind) {
      case 'scope':
        return await this.#scope(found, page)
      case 'namespace':
        return await this.#namespace(page)
      case 'getter':
        return [await this.#run(found)]
      case 'entries': {
        const { start, count } = bounds(page, found.count)
        if (page.filter === 'named') return []
        const made = await this.#agent.object('entries', this.group, { objectId: found.objectId }, { value: start }, { value: count })
        return (await this.#properties(made)).result.map((one) => this.#entry(one))
      }
      case 'object':
        if (found.standIn) {
          found.objectId = await this.#agent.object('whole', this.group, { objectId: found.objectId })
          found.standIn = false
        }
        return await this.#object(found, page)
    }
  }

  async readMemory(reference: string, offset: number, count: number): Promise<{ data: string; unreadable: number }> {
    const objectId = this.#memory.get(reference)
    if (objectId === undefined) throw new LlmspellError('this memory belongs to a moment that is over', { code: 'debug.stale_reference' })
    return await this.#agent.value('read', { objectId }, { value: offset }, { value: count })
  }

  async #object(found: Extract<Reference, { kind: 'object' }>, page: VariablesPage): Promise<Variable[]> {
    const { objectId, path, proxy } = found
    // Its traps are code of the script.
    if (proxy) return page.filter === 'indexed' ? [] : cut(this.#internals(await this.#properties(objectId)), page)
    const survey = await this.#agent.value<Survey>('survey', { objectId })
    const indexed = survey.indexed ?? 0
    if (page.filter === 'indexed') return await this.#elements(objectId, path, bounds(page, indexed))
    if (page.filter === 'named') return await this.#named(found, survey, page)
    const { start, count } = bounds(page, Number.POSITIVE_INFINITY)
    const elements = start < indexed ? await this.#elements(objectId, path, { start, count: Math.min(count, indexed - start) }) : []
    const left = count - Math.max(0, Math.min(count, indexed - start))
    if (left <= 0) return elements
    return [...elements, ...(await this.#named(found, survey, { start: Math.max(0, start - indexed), count: left }))]
  }

  async #elements(objectId: string, path: string | undefined, { start, count }: { start: number; count: number }): Promise<Variable[]> {
    if (count <= 0) return []
    const made = await this.#agent.object('slice', this.group, { objectId }, { value: start }, { value: count })
    return await this.#counted((await this.#properties(made)).result, objectId, path)
  }

  async #named(found: Extract<Reference, { kind: 'object' }>, survey: Survey, page: VariablesPage): Promise<Variable[]> {
    const { objectId, path } = found
    const { start, count } = bounds(page, Number.POSITIVE_INFINITY)
    const out: Variable[] = []
    const large = survey.long || Math.max(survey.keys, survey.entries ?? 0, survey.indexed ?? 0) > WHOLE_MAX
    if (!large) {
      const whole = await this.#properties(objectId, survey.indexed !== undefined)
      out.push(
        ...(await this.#counted(
          whole.result.filter((one) => isShown(one.name)),
          objectId,
          path,
        )),
      )
      for (const one of whole.privateProperties ?? []) {
        if (one.value) out.push(this.describe(one.name, one.value, path && `${path}.${one.name}`))
        else out.push({ name: one.name, value: '(…)', reference: 0, hint: { kind: 'property', attributes: ['private'] } })
      }
      this.#pushEntries(out, objectId, survey)
      out.push(...this.#internals(whole, survey.entries !== undefined))
      return out.slice(start, start + count)
    }
    if (start < survey.keys) {
      const made = await this.#agent.object(
        'page',
        this.group,
        { objectId },
        { value: start },
        { value: Math.min(count, survey.keys - start) },
      )
      out.push(
        ...(await this.#counted(
          (await this.#properties(made)).result.filter((one) => isShown(one.name)),
          objectId,
          path,
        )),
      )
    }
    const extras: Variable[] = []
    this.#pushEntries(extras, objectId, survey)
    const prototype = await this.#agent.call('prototype', { group: this.group }, { objectId })
    extras.push(internal(this.describe('[[Prototype]]', prototype)))
    const from = Math.max(0, start - survey.keys)
    return [...out, ...extras.slice(from, from + Math.max(0, count - Math.max(0, survey.keys - start)))]
  }

  #pushEntries(out: Variable[], objectId: string, { entries }: Survey): void {
    if (entries === undefined) return
    out.push({
      name: '[[Entries]]',
      value: `(${entries})`,
      reference: entries === 0 ? 0 : this.refer({ kind: 'entries', objectId, count: entries }),
      indexed: entries,
      hint: { kind: 'virtual' },
    })
  }

  /** `counted`: the entries are shown otherwise; those of a WeakMap only V8 can see. */
  #internals(whole: Properties, counted = false): Variable[] {
    return (whole.internalProperties ?? [])
      .filter((one) => one.value && (one.name !== '[[Entries]]' || !counted) && one.name !== '[[Scopes]]')
      .sort((a, b) => Number(a.name === '[[Prototype]]') - Number(b.name === '[[Prototype]]'))
      .map((one) => internal(this.describe(one.name, one.value as Runtime.RemoteObject)))
  }

  async #scope(scope: ScopeReference, page: VariablesPage): Promise<Variable[]> {
    if (page.filter === 'indexed') return []
    const extra = scope.extra.map(({ name, value }) => this.describe(name, value, name === 'this' ? 'this' : undefined))
    if (this.#stale && scope.type !== 'global') await this.#readAgain(scope)
    const parts = [scope.objectId]
    if (scope.global !== undefined) parts.push(await this.#madeIn(scope.global))
    return await this.#listed(extra, parts, page)
  }

  /** Brings V8's picture of a scope up to date, where no inner scope hides its names. */
  async #readAgain(scope: ScopeReference): Promise<void> {
    const hidden = new Set<string>()
    for (const objectId of scope.inner) for (const name of await this.#agent.value<string[]>('own', { objectId })) hidden.add(name)
    const names = (await this.#agent.value<string[]>('own', { objectId: scope.objectId })).filter(
      (name) => !hidden.has(name) && NAME.test(name),
    )
    if (names.length === 0 || names.length > WHOLE_MAX) return
    const { result } = await this.#protocol.post<Runtime.EvaluateReturnType>('Debugger.evaluateOnCallFrame', {
      callFrameId: scope.callFrameId,
      expression: `{const $llmspell$o={__proto__:null};${names.map((name) => `try{$llmspell$o.${name}=${name}}catch{}`).join(';')};$llmspell$o}`,
      objectGroup: this.group,
      silent: true,
    })
    if (result.objectId !== undefined) await this.#agent.value('merge', { objectId: scope.objectId }, { objectId: result.objectId })
  }

  async #namespace(page: VariablesPage): Promise<Variable[]> {
    if (page.filter === 'indexed') return []
    const { names } = await this.#protocol.post<{ names: string[] }>('Runtime.globalLexicalScopeNames', {})
    // One that has no value yet must not keep the others away.
    const reads = names.map((name) => `try{o[${JSON.stringify(name)}]=${name}}catch{}`)
    const lexical = await this.#globalObject(`(()=>{const o={__proto__:null};${reads.join(';')};return o})()`)
    const global = await this.#globalObject('globalThis')
    return await this.#listed([], [lexical, await this.#madeIn(global)], page)
  }

  /** Properties of several objects, one after the other. */
  async #listed(first: Variable[], objects: readonly string[], page: VariablesPage): Promise<Variable[]> {
    const { start, count } = bounds(page, Number.POSITIVE_INFINITY)
    const out = [...first.slice(start, start + count)]
    let before = first.length
    for (const objectId of objects) {
      const survey = await this.#agent.value<Survey>('survey', { objectId })
      const from = Math.max(0, start - before)
      before += survey.keys
      const wanted = Math.min(count - out.length, survey.keys - from)
      if (wanted <= 0) continue
      const whole = from === 0 && wanted === survey.keys && survey.keys <= WHOLE_MAX && !survey.long
      const made = whole ? objectId : await this.#agent.object('page', this.group, { objectId }, { value: from }, { value: wanted })
      const { result } = await this.#properties(made)
      out.push(
        ...(await this.#counted(
          result.filter((one) => isShown(one.name)),
          objectId,
          '',
        )),
      )
    }
    return out
  }

  /** What scripts have put into the global object. */
  async #madeIn(global: string): Promise<string> {
    const names = await this.#agent.value<string[]>('made', { objectId: global })
    return await this.#agent.object('pick', this.group, { objectId: global }, { value: JSON.stringify(names) })
  }

  async #globalObject(expression: string): Promise<string> {
    const { result } = await this.#protocol.post<Runtime.EvaluateReturnType>('Runtime.evaluate', {
      expression: `${expression}\n//# sourceURL=llmspell:look`,
      objectGroup: this.group,
      silent: true,
      disableBreaks: true,
    })
    return result.objectId as string
  }

  /** Descriptions of properties, with the numbers of properties of large values. */
  async #counted(properties: readonly Runtime.PropertyDescriptor[], holder: string, path: string | undefined): Promise<Variable[]> {
    const out: Variable[] = []
    for (const property of properties) {
      const variable = this.#property(property, holder, path)
      out.push(variable)
      const { value } = property
      if (value?.objectId === undefined || value.subtype === 'proxy' || !value.preview?.overflow || isLongText(value) || isLarge(value))
        continue
      const { keys } = await this.#agent.value<Survey>('survey', { objectId: value.objectId })
      if (keys > COUNTED_MIN) variable.named = keys + 1
    }
    return out
  }

  #property(property: Runtime.PropertyDescriptor, holder: string, path: string | undefined): Variable {
    const { name, value, get, symbol, enumerable } = property
    const shown = symbol ? `[${symbol.description ?? name}]` : name
    const inner = path === undefined || symbol ? undefined : memberPath(path, name)
    let variable: Variable
    if (value) variable = this.describe(shown, value, inner)
    else if (get && get.type === 'function' && !symbol) {
      variable = {
        name: shown,
        value: '(…)',
        reference: this.refer({ kind: 'getter', holder, key: name, receiver: holder, path: inner }),
        hint: { kind: 'property', lazy: true },
        ...(inner !== undefined && { evaluateName: inner }),
      }
    } else if (isNone(get) && isNone(property.set)) variable = { name: shown, value: '<not set yet>', reference: 0 }
    else variable = { name: shown, value: '(…)', reference: 0, hint: { kind: 'property' } }
    if (!enumerable && variable.hint?.kind === undefined) variable.hint = { ...variable.hint, kind: 'property', attributes: ['hidden'] }
    return variable
  }

  #entry({ name, value }: Runtime.PropertyDescriptor): Variable {
    const variable = this.describe(name, value as Runtime.RemoteObject)
    const [key, one] = value?.preview?.properties ?? []
    if (key?.name === 'key' && one?.name === 'value' && value?.className === 'Object') {
      variable.value = variable.value.replace(/^\{key: (.*), value: /s, '{$1 => ')
    }
    return variable
  }

  async #run(getter: Extract<Reference, { kind: 'getter' }>): Promise<Variable> {
    const value = await this.#agent.call(
      'get',
      { group: this.group },
      { objectId: getter.holder },
      { value: getter.key },
      { objectId: getter.receiver },
    )
    return this.describe(getter.key, value, getter.path)
  }

  async #properties(objectId: string, withoutElements = false): Promise<Properties> {
    return await this.#protocol.post('Runtime.getProperties', {
      objectId,
      ownProperties: true,
      nonIndexedPropertiesOnly: withoutElements,
      generatePreview: true,
    })
  }

  #memoryOf(objectId: string): string {
    const reference = `memory${++this.#last}`
    this.#memory.set(reference, objectId)
    return reference
  }
}

/** V8 tells of a function that is not there as of the value `undefined`. */
function isNone(accessor: Runtime.RemoteObject | undefined): boolean {
  return accessor === undefined || accessor.type === 'undefined'
}

/** What DAP calls virtual: no property of the language. */
function internal(variable: Variable): Variable {
  return { ...variable, hint: { ...variable.hint, kind: 'virtual' } }
}

export function isShown(name: string): boolean {
  return !INTERNAL.has(name) && !name.startsWith('.')
}

export function memberPath(path: string, name: string): string {
  if (path === '') return name
  if (/^(?:0|[1-9]\d*)$/.test(name)) return `${path}[${name}]`
  return NAME.test(name) ? `${path}.${name}` : `${path}[${JSON.stringify(name)}]`
}

function bounds({ start = 0, count }: VariablesPage, total: number): { start: number; count: number } {
  const from = Math.max(0, start)
  // DAP: 0 means all.
  const wanted = count === undefined || count <= 0 ? PAGE_MAX : Math.min(count, PAGE_MAX)
  return { start: from, count: Math.max(0, Math.min(wanted, total - from)) }
}

function cut(variables: Variable[], page: VariablesPage): Variable[] {
  const { start, count } = bounds(page, variables.length)
  return variables.slice(start, start + count)
}
