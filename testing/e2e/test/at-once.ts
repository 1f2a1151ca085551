/** Runs `task` for every number below `count`, at most `width` at a time, and gives the results in order. */
export async function atOnce<T>(count: number, width: number, task: (index: number) => Promise<T>): Promise<T[]> {
  const results: T[] = new Array(count)
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < count) {
      const index = next++
      results[index] = await task(index)
    }
  }
  await Promise.all(Array.from({ length: width }, worker))
  return results
}
