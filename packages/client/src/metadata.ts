/** Without the keys whose value is undefined. */
export function present<T extends object>(value: { [K in keyof T]: T[K] | undefined }): Partial<T> {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as Partial<T>
}

/** `metadata` with what llmspell adds; empty when there is nothing, so that other kernels see a plain message. */
export function extension<T extends object>(values: { [K in keyof T]: T[K] | undefined }): { llmspell?: Partial<T> } {
  const given = present<T>(values)
  return Object.keys(given).length > 0 ? { llmspell: given } : {}
}
