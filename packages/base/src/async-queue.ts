/** An unbounded FIFO between a producer and one `for await` consumer; `close()` ends the iteration after what is queued. */
export class AsyncQueue<T> implements AsyncIterable<T> {
  #items: T[] = []
  #head = 0
  #waiting: ((result: IteratorResult<T, undefined>) => void)[] = []
  #closed = false

  get size(): number {
    return this.#items.length - this.#head
  }

  get closed(): boolean {
    return this.#closed
  }

  push(item: T): void {
    if (this.#closed) return
    const waiter = this.#waiting.shift()
    if (waiter) waiter({ done: false, value: item })
    else this.#items.push(item)
  }

  close(): void {
    this.#closed = true
    for (const waiter of this.#waiting.splice(0)) waiter({ done: true, value: undefined })
  }

  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    return {
      next: () => {
        if (this.#head < this.#items.length) {
          const value = this.#items[this.#head] as T
          this.#items[this.#head++] = undefined as T
          if (this.#head > 1024 && this.#head * 2 > this.#items.length) {
            this.#items = this.#items.slice(this.#head)
            this.#head = 0
          }
          return Promise.resolve({ done: false, value })
        }
        if (this.#closed) return Promise.resolve({ done: true, value: undefined })
        return new Promise((resolve) => this.#waiting.push(resolve))
      },
      return: () => {
        this.close()
        return Promise.resolve({ done: true, value: undefined })
      },
    }
  }
}
