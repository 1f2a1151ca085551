import type { Language } from '../engine.ts'

/** How one language says what the contract suite needs. Cells are complete; host functions are those the suite's catalogue declares. */
export interface EngineSamples {
  language: Language
  /** A line on stdout. */
  print(text: string): string
  /** A line on stderr. */
  printError(text: string): string
  /** `count` lines on stdout: 1, 2, 3… */
  printLines(count: number): string
  /** A cell with a value, and the value's text. */
  value: { code: string; plain: string }
  /** Sets a variable of the namespace to a text. */
  define(name: string, text: string): string
  /** A cell whose value is the variable, and the text it is shown as. */
  read(name: string): string
  shown(text: string): string
  /** Fails with this message. */
  fail(message: string): string
  /** Never ends and does nothing. */
  loop: string
  sleep(seconds: number): string
  /** Asks, then prints `got: ` and the line, or `got: nothing` at the end of input. */
  ask(prompt: string): string
  /** Shows a bundle of text/plain and text/markdown. */
  display(plain: string, markdown: string): string
  /** Calls the host function with one text and prints its result. */
  call(name: string, argument: string): string
  /** Calls the host function, catches its error and prints the error's code. */
  catchCall?(name: string): string
  exit(code: number): string
  /** Loses the engine. */
  crash?: string
  /** Opens a comm with an empty object. */
  openComm?(target: string): string
  incomplete: string
  /** Code that no continuation can repair; undefined when the language cannot tell. */
  invalid: string | undefined
  /** Code to complete at its end, one of the expected items, and whether a variable must have been defined first. */
  completion: { define?: string; code: string; expected: string }
  /** Code to inspect at its end and a part of the text to expect. */
  inspection: { define?: string; code: string; expected: string }
  /** The value of an environment variable, as a cell's value. */
  env(name: string): string
}
