import { isAbsolute, normalize } from 'node:path'
import { LlmspellError } from '@llmspell/base'
import type { LaunchOptions } from '../../debug-host.ts'
import type { Language } from '../../language.ts'
import type { Client } from '../client.ts'

/** What becomes of a script whose debugger has gone. */
export type OnDisconnect = 'continue' | 'terminate' | 'stay'

export interface LaunchArguments {
  options: LaunchOptions
  stopOnEntry: boolean
  noDebug: boolean
  recordHistory: boolean
  onDisconnect: OnDisconnect | undefined
}

export interface AttachArguments {
  /** Execution or source of what runs; undefined: all of the kernel. */
  run: string | undefined
  recordHistory: boolean
  onDisconnect: OnDisconnect | undefined
}

type Given = Readonly<Record<string, unknown>>

const languages: readonly string[] = ['lua', 'javascript', 'typescript'] satisfies readonly Language[]

/** Editors add words of their own: what is not known is not looked at. */
export function readLaunch(given: Given, client: Client): LaunchArguments {
  const program = optional(given, 'program', isString, 'a string')
  if (program === undefined) throw wrong('program is missing: the path of the script to run')
  const path = client.pathFromClient(program)
  if (!isAbsolute(path)) throw wrong(`program must be an absolute path, not '${path.slice(0, 200)}'`)
  const cwd = optional(given, 'cwd', isString, 'a string')
  if (cwd !== undefined && !isAbsolute(cwd)) throw wrong(`cwd must be an absolute path, not '${cwd.slice(0, 200)}'`)
  const language = optional(given, 'language', isString, 'a string')
  if (language !== undefined && !languages.includes(language))
    throw wrong(`language must be ${languages.join(', ')}, not '${language.slice(0, 100)}'`)
  const args = optional(given, 'args', isStrings, 'a list of strings')
  const env = optional(given, 'env', isEnvironment, 'an object of strings (null removes a variable)')
  return {
    options: {
      program: normalize(path),
      ...(language !== undefined && { language: language as Language }),
      ...(args && { args }),
      ...(cwd !== undefined && { cwd }),
      ...(env && { env }),
    },
    stopOnEntry: optional(given, 'stopOnEntry', isBoolean, 'true or false') ?? false,
    noDebug: optional(given, 'noDebug', isBoolean, 'true or false') ?? false,
    ...readCommon(given),
  }
}

export function readAttach(given: Given, client: Client): AttachArguments {
  const run = optional(given, 'run', isString, 'a string')
  return { run: run === undefined || run === '' ? undefined : client.pathFromClient(run), ...readCommon(given) }
}

function readCommon(given: Given): { recordHistory: boolean; onDisconnect: OnDisconnect | undefined } {
  return {
    recordHistory: optional(given, 'recordHistory', isBoolean, 'true or false') ?? false,
    onDisconnect: optional(given, 'onDisconnect', isOnDisconnect, `'continue', 'terminate' or 'stay'`),
  }
}

function optional<T>(given: Given, name: string, is: (value: unknown) => value is T, what: string): T | undefined {
  const value = given[name]
  if (value === undefined || value === null) return undefined
  if (is(value)) return value
  throw wrong(`${name} must be ${what}`)
}

function wrong(message: string): LlmspellError {
  return new LlmspellError(message, { code: 'debug.bad_request' })
}

function isString(value: unknown): value is string {
  return typeof value === 'string'
}

function isBoolean(value: unknown): value is boolean {
  return typeof value === 'boolean'
}

function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every(isString)
}

function isEnvironment(value: unknown): value is Record<string, string | null> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((one) => one === null || isString(one))
  )
}

function isOnDisconnect(value: unknown): value is OnDisconnect {
  return value === 'continue' || value === 'terminate' || value === 'stay'
}
