import { basename, extname, isAbsolute, normalize } from 'node:path'
import { LlmspellError } from '@llmspell/base'
import type { Dap, Handlers } from '@llmspell/dap'
import { isCellSource } from '../cell-naming.ts'
import type { EngineLink } from '../engine-link.ts'
import type { SessionContext } from './session-context.ts'

const mimeTypes: Readonly<Record<string, string>> = {
  '.lua': 'text/x-lua',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.cjs': 'text/javascript',
  '.ts': 'text/typescript',
  '.mts': 'text/typescript',
  '.cts': 'text/typescript',
}

/** Sources under the engines' names, and as the client knows them: files by path, what is no file by a number. */
export class Sources {
  readonly #context: SessionContext
  readonly #byName = new Map<string, number>()
  readonly #byReference: string[] = []
  /** Cells that lie on disk, because the client asked for that. */
  readonly #dumped = new Set<string>()
  readonly #known = new Map<string, Dap.Source>()
  readonly #loaded = new Set<string>()

  constructor(context: SessionContext) {
    this.#context = context
  }

  toClient(source: string): Dap.Source {
    const known = this.#known.get(source)
    if (known) return known
    const made = this.#make(source)
    this.#known.set(source, made)
    return made
  }

  /** The engines' name of what a client points at. */
  fromClient({ path, sourceReference, name }: Dap.Source): string {
    if (sourceReference !== undefined && sourceReference > 0) return this.#resolve(sourceReference)
    if (path) {
      const file = this.#context.client.pathFromClient(path)
      return isAbsolute(file) ? normalize(file) : file
    }
    if (name) return name
    throw new LlmspellError('source must have a path or a sourceReference', { code: 'debug.bad_request' })
  }

  /** It can be opened from disk from now on. */
  dumped(source: string): void {
    this.#dumped.add(source)
    this.#known.delete(source)
  }

  /** An engine has loaded it. True for the first time. */
  loaded(source: string): boolean {
    const isNew = !this.#loaded.has(source)
    this.#loaded.add(source)
    return isNew
  }

  async text(source: string, links: readonly EngineLink[]): Promise<string> {
    for (const link of links) {
      const text = await link.target.sourceText(source).catch(() => undefined)
      if (text !== undefined) return text
    }
    const text = await this.#context.host.readSource(source)
    if (text !== undefined) return text
    throw new LlmspellError(`there is no source ${source.slice(0, 200)}`, { code: 'debug.unknown_source', data: { source } })
  }

  #make(source: string): Dap.Source {
    const { client, kind, host } = this.#context
    if (!isAbsolute(source)) return { name: source, sourceReference: this.#referenceTo(source) }
    const made: Dap.Source = { name: basename(source), path: client.pathToClient(source) }
    // Notebooks find a cell by its path alone; an editor can open it only where it lies on disk.
    if (kind === 'dap' && isCellSource(host.cells, source) && !this.#dumped.has(source)) {
      made.sourceReference = this.#referenceTo(source)
      made.origin = 'cell'
    }
    return made
  }

  #referenceTo(source: string): number {
    let reference = this.#byName.get(source)
    if (reference === undefined) {
      reference = this.#byReference.push(source)
      this.#byName.set(source, reference)
    }
    return reference
  }

  #resolve(reference: number): string {
    const source = this.#byReference[reference - 1]
    if (source !== undefined) return source
    throw new LlmspellError(`there is no sourceReference ${reference}`, {
      code: 'debug.unknown_source',
      data: { sourceReference: reference },
    })
  }
}

export function sourceHandlers(context: SessionContext): Pick<Handlers, 'source' | 'loadedSources' | 'modules'> {
  const loaded = async (): Promise<string[]> => {
    const each = await Promise.all([...context.engines.links].map((link) => link.target.loadedSources()))
    return [...new Set(each.flat())]
  }
  return {
    async source({ source, sourceReference }) {
      const name = context.sources.fromClient({ ...source, ...(sourceReference > 0 && { sourceReference }) })
      const content = await context.sources.text(name, linksWithSources(context))
      const mimeType = mimeTypes[extname(name)]
      return { content, ...(mimeType && { mimeType }) }
    },
    async loadedSources() {
      return { sources: (await loaded()).map((source) => context.sources.toClient(source)) }
    },
    async modules(args) {
      const { startModule = 0, moduleCount = 0 } = (args ?? {}) as Dap.ModulesArguments
      const files = (await loaded()).filter((source) => isAbsolute(source) && !isCellSource(context.host.cells, source))
      const page = files.slice(Math.max(0, startModule), moduleCount > 0 ? Math.max(0, startModule) + moduleCount : undefined)
      const modules = page.map((file) => ({ id: file, name: basename(file), path: context.client.pathToClient(file), isUserCode: true }))
      return { modules, totalModules: files.length }
    },
  }
}

/** Jupyter asks for sources without having attached. */
function linksWithSources(context: SessionContext): EngineLink[] {
  return context.engines.size > 0 ? [...context.engines.links] : context.links()
}
