import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { withTimeout } from '@llmspell/base'
import type { Call, Program, State } from './programs.ts'
import type { DebuggedSubject } from './subject.ts'

const WAIT_MS = 120_000

interface Paused {
  callFrames: { callFrameId: string; scopeChain: { object: { objectId: string } }[] }[]
}

/** `node --inspect` with a debugger at its WebSocket: what JavaScript editors do. */
export class NodeInspectSubject implements DebuggedSubject {
  readonly name = 'node --inspect'
  readonly #dir: string
  readonly #program: Program
  readonly #child: ChildProcess
  readonly #exited: Promise<unknown>
  readonly #socket: WebSocket
  readonly #pending = new Map<number, { resolve(result: never): void; reject(error: Error): void }>()
  readonly #paused: Paused[] = []
  #onPaused: (() => void) | undefined
  #breakpoint: string | undefined
  #id = 0

  private constructor(dir: string, program: Program, child: ChildProcess, socket: WebSocket) {
    this.#dir = dir
    this.#program = program
    this.#child = child
    this.#exited = once(child, 'exit')
    this.#socket = socket
    socket.addEventListener('message', ({ data }) => {
      const message = JSON.parse(String(data)) as { id?: number; method?: string; params?: unknown; result?: never; error?: object }
      if (message.method === 'Debugger.paused') {
        this.#paused.push(message.params as Paused)
        this.#onPaused?.()
      }
      const pending = this.#pending.get(message.id ?? 0)
      this.#pending.delete(message.id ?? 0)
      if (message.error) pending?.reject(new Error(JSON.stringify(message.error)))
      else pending?.resolve(message.result as never)
    })
  }

  static async open(program: Program): Promise<NodeInspectSubject> {
    const dir = mkdtempSync(join(tmpdir(), 'llmspell-bench-'))
    const file = join(dir, 'work.ts')
    writeFileSync(file, `${program.text}\nsetInterval(() => {}, 1e6)\n`)
    const child = spawn(process.execPath, ['--inspect=127.0.0.1:0', file], { stdio: ['ignore', 'ignore', 'pipe'] })
    const address = await withTimeout(
      new Promise<string>((resolve, reject) => {
        let printed = ''
        child.stderr?.setEncoding('utf8').on('data', (text: string) => {
          printed += text
          const found = /ws:\S+/.exec(printed)
          if (found) resolve(found[0])
        })
        child.on('exit', () => reject(new Error(printed)))
      }),
      WAIT_MS,
      'node --inspect',
    )
    const socket = new WebSocket(address)
    await withTimeout(once(socket, 'open'), WAIT_MS, 'the inspector')
    const subject = new NodeInspectSubject(dir, program, child, socket)
    await subject.#post('Runtime.enable')
    const end = Date.now() + WAIT_MS
    while ((await subject.#value('typeof globalThis.elsewhere')) !== 'function') {
      if (Date.now() > end) throw new Error('the program of node --inspect did not load')
    }
    return subject
  }

  async time(call: Call, state: State): Promise<number> {
    if (state === 'off') await this.#post('Debugger.disable')
    else await this.#set(state === 'attached' ? undefined : this.#line(state === 'inside' ? call : 'elsewhere'))
    const { whole, little } = this.#program.work[call]
    await this.#value(little)
    const timed = `(() => { const before = process.cpuUsage(); ${whole}; const { user, system } = process.cpuUsage(before); return (user + system) / 1000 })()`
    return Number(await this.#value(timed))
  }

  async passes(count: number, condition: boolean): Promise<number> {
    await this.#set(condition ? this.#line('hit') : undefined, condition ? this.#program.neverTrue : undefined)
    await this.#value(this.#program.hits(Math.ceil(count / 10)))
    return Number(
      await this.#value(`(() => { const from = performance.now(); ${this.#program.hits(count)}; return performance.now() - from })()`),
    )
  }

  async steps(count: number): Promise<number[]> {
    await this.#set(this.#line('step'))
    await this.#value(`void setTimeout(() => ${this.#program.steps})`)
    await this.#nextPause()
    await this.#set(undefined)
    const times: number[] = []
    for (let index = 0; index < count; index++) {
      const from = performance.now()
      await this.#post('Debugger.stepOver')
      const { callFrames } = await this.#nextPause()
      const objectId = callFrames[0]?.scopeChain[0]?.object.objectId
      await this.#post('Runtime.getProperties', { objectId, ownProperties: true, generatePreview: true })
      times.push(performance.now() - from)
    }
    await this.#post('Debugger.resume', { terminateOnResume: true })
    return times
  }

  async close(): Promise<void> {
    this.#socket.close()
    this.#child.kill('SIGKILL')
    await this.#exited
    rmSync(this.#dir, { recursive: true, force: true })
  }

  #line(name: string): number {
    return this.#program.line(name) - 1
  }

  async #set(lineNumber: number | undefined, condition?: string): Promise<void> {
    await this.#post('Debugger.enable')
    if (this.#breakpoint) await this.#post('Debugger.removeBreakpoint', { breakpointId: this.#breakpoint })
    this.#breakpoint = undefined
    if (lineNumber === undefined) return
    const url = pathToFileURL(join(this.#dir, 'work.ts')).href
    const set = await this.#post<{ breakpointId: string; locations: unknown[] }>('Debugger.setBreakpointByUrl', {
      url,
      lineNumber,
      condition,
    })
    if (set.locations.length === 0) throw new Error(`node --inspect binds no breakpoint at line ${lineNumber + 1}`)
    this.#breakpoint = set.breakpointId
  }

  async #value(expression: string): Promise<unknown> {
    const answer = await this.#post<{ result: { value?: unknown }; exceptionDetails?: { exception?: { description?: string } } }>(
      'Runtime.evaluate',
      { expression, returnByValue: true },
    )
    if (answer.exceptionDetails) throw new Error(`${expression}: ${answer.exceptionDetails.exception?.description}`)
    return answer.result.value
  }

  async #nextPause(): Promise<Paused> {
    if (this.#paused.length === 0) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#onPaused = resolve
      await withTimeout(promise, WAIT_MS, 'a pause of node --inspect')
    }
    return this.#paused.shift() as Paused
  }

  async #post<T>(method: string, params: object = {}): Promise<T> {
    const id = ++this.#id
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    this.#pending.set(id, { resolve, reject })
    this.#socket.send(JSON.stringify({ id, method, params }))
    return await withTimeout(promise, WAIT_MS, `the answer of node --inspect to ${method}`)
  }
}
