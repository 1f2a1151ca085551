export interface Disposable {
  dispose(): void
}

/** A disposable around a function; runs it at most once. */
export function toDisposable(run: () => void): Disposable {
  let done = false
  return {
    dispose() {
      if (done) return
      done = true
      run()
    },
  }
}

/** Collects disposables; what is added after `dispose()` is disposed at once. */
export class DisposableStore implements Disposable {
  readonly #items = new Set<Disposable>()
  #disposed = false

  get disposed(): boolean {
    return this.#disposed
  }

  add<T extends Disposable>(item: T): T {
    if (this.#disposed) item.dispose()
    else this.#items.add(item)
    return item
  }

  dispose(): void {
    this.#disposed = true
    const items = [...this.#items].reverse()
    this.#items.clear()
    for (const item of items) item.dispose()
  }
}
