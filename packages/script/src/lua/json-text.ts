import { LlmspellError } from '@llmspell/base'

/** Lua's integers have 64 bits: written as they are, not as the nearest double. */
const rawJson = (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON

/**
 * JSON text of plain data.
 *
 * @throws LlmspellError `json.value` for what JSON cannot write: infinities, not-a-number, bytes that are no text.
 */
export function jsonText(value: unknown, indent: number | undefined): string {
  return JSON.stringify(value, writable, indent) ?? 'null'
}

function writable(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return rawJson(String(value))
  if (typeof value === 'number' && !Number.isFinite(value)) throw refused(`the number ${value}`)
  if (ArrayBuffer.isView(value)) throw refused('text that is not UTF-8')
  return value
}

function refused(what: string): LlmspellError {
  return new LlmspellError(`JSON.stringify: JSON has no way to write ${what}`, { code: 'json.value' })
}
