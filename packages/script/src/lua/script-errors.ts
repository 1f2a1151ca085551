import { LuaError, LuaInterrupted, LuaMemoryError, LuaSyntaxError } from '@llmspell/lua'
import type { ScriptError } from '../engine.ts'

/** The chunk name of the engine's own Lua code, whose frames no user wants to see. */
export const OWN_CHUNK = '(llmspell)'

/** What Lua calls code of this source in messages: files by their path, cells by their name. */
export function chunkNameOf(source: string): string {
  return source.startsWith('/') || /^[A-Za-z]:[\\/]/.test(source) ? `@${source}` : `=${source}`
}

/** How errors are made readable. */
export interface ErrorTexts {
  /** Text for error values that are no text. */
  show(value: unknown): string
  /** What a missing global or field may have been meant to be. */
  suggest(name: string, kind: 'global' | 'field'): string | undefined
}

/** An error of a run as the kernel shows it. */
export function scriptErrorOf(error: unknown, source: string, texts: ErrorTexts): ScriptError {
  if (!(error instanceof LuaError)) throw error
  const ename = nameOf(error)
  const evalue = messageText(error, texts)
  const frames = framesOf(error.traceback)
  const hint = (error.value as { hint?: unknown } | undefined)?.hint ?? suggestion(evalue, texts)
  const traceback = [`${ename}: ${evalue}`]
  if (typeof hint === 'string') traceback.push(hint)
  if (frames.length > 0) traceback.push('stack traceback:', ...frames)
  const position = positionOf(evalue, source) ?? positionIn(frames, source)
  return { ename, evalue, traceback, ...(position && { position }) }
}

function nameOf(error: LuaError): string {
  if (error instanceof LuaInterrupted) return 'Interrupted'
  if (error instanceof LuaSyntaxError) return 'LuaSyntaxError'
  return error instanceof LuaMemoryError ? 'OutOfMemory' : 'LuaError'
}

function messageText(error: LuaError, { show }: ErrorTexts): string {
  if (error.value instanceof Uint8Array) return new TextDecoder().decode(error.value)
  if (/^\(error object is a \w+ value\)$/.test(error.message)) return show(error.value)
  return error.message
}

const MISSING = /attempt to (?:call|index) a nil value \((global|field|method) '([^']+)'\)$/

function suggestion(evalue: string, { suggest }: ErrorTexts): string | undefined {
  const [, kind, name] = MISSING.exec(evalue) ?? []
  const meant = name && suggest(name, kind === 'global' ? 'global' : 'field')
  return meant && `Did you mean ${meant}?`
}

const POSITION = /^(.*?):(\d+): /s

function positionOf(evalue: string, source: string): ScriptError['position'] {
  const found = POSITION.exec(evalue)
  return found?.[1] === source ? { source, line: Number(found[2]) } : undefined
}

function positionIn(frames: readonly string[], source: string): ScriptError['position'] {
  for (const frame of frames) {
    const text = frame.trimStart()
    const line = text.startsWith(`${source}:`) ? /^(\d+):/.exec(text.slice(source.length + 1))?.[1] : undefined
    if (line !== undefined) return { source, line: Number(line) }
  }
  return undefined
}

/** Frames of the script, without those of the engine and of the function it raises errors with. */
function framesOf(traceback: string | undefined): string[] {
  const frames: string[] = []
  let afterOwn = false
  for (const line of (traceback ?? '').split('\n').slice(1)) {
    const text = line.trimStart()
    const isOwn = text.startsWith(OWN_CHUNK)
    if (isOwn && !afterOwn && RAISES.test(frames.at(-1) ?? '')) frames.pop()
    if (!isOwn && !(afterOwn && text === TAIL_CALLS)) frames.push(`  ${text.replace("in local 'llmspell_main_chunk'", 'in main chunk')}`)
    afterOwn = isOwn
  }
  while (frames.at(-1)?.trimStart().startsWith('[C]: in ?')) frames.pop()
  return frames
}

const RAISES = /^ {2}\[C\]: in \w+ 'error'$/
const TAIL_CALLS = '(...tail calls...)'
