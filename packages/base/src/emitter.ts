import { type Disposable, toDisposable } from './disposable.ts'

/** A synchronous event: listeners run in the order they were added. A listener that throws does not stop the others. */
export class Emitter<T> {
  readonly #listeners = new Set<(value: T) => void>()

  get listenerCount(): number {
    return this.#listeners.size
  }

  on(listener: (value: T) => void): Disposable {
    const own = (value: T): void => listener(value)
    this.#listeners.add(own)
    return toDisposable(() => this.#listeners.delete(own))
  }

  emit(value: T): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(value)
      } catch (error) {
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }
}
