import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHome, llmspellBin, toolPath } from '@llmspell/testkit'
import { adapterSteps } from './debugger/adapter-steps.ts'
import { EngineSubject } from './debugger/engine-subject.ts'
import { luaHookSubject } from './debugger/lua-hook-subject.ts'
import { NodeInspectSubject } from './debugger/node-inspect-subject.ts'
import { type Call, calls, type Program, programs, type State, states } from './debugger/programs.ts'
import type { DebuggedSubject, Subject } from './debugger/subject.ts'
import { number, table } from './markdown.ts'
import { median } from './median.ts'

export interface DebuggerOptions {
  /** Less work in each. */
  quick: boolean
  rounds: number
  /** How often it steps. */
  steps: number
  /** How often a line with a condition is passed. */
  passes: number
}

/** A ratio that has an aim: `[what, value, the most it should be]`. */
type Judged = [string, number, number]

export async function measureDebugger(options: DebuggerOptions): Promise<string> {
  const program = programs(options.quick)
  const closing: (() => Promise<void>)[] = []
  const opened = async <T extends Subject>(subject: Promise<T> | T): Promise<T> => {
    const open = await subject
    closing.push(() => open.close())
    return open
  }
  try {
    const lua = await opened(EngineSubject.open('Lua', 'lua', program.lua))
    const hook = await opened(luaHookSubject(program.lua))
    const typescript = await opened(EngineSubject.open('TypeScript', 'typescript', program.typescript))
    const node = await opened(NodeInspectSubject.open(program.typescript))
    const judged: Judged[] = []
    const parts = [
      await slowdown(
        [
          [lua, program.lua],
          [hook, program.lua],
          [typescript, program.typescript],
          [node, program.typescript],
        ],
        options.rounds,
        judged,
      ),
      await conditions(lua, typescript, node, options.passes, judged),
      await steps([lua, typescript, node], program, options.steps, judged),
      await history(lua, options),
    ]
    const rows = judged.map(([name, value, aim]) => [name, number(value), `≤ ${aim}`, value >= 0 && value <= aim ? 'met' : 'falls short'])
    return [...parts, table(['ratio', '', 'aim', ''], rows)].join('\n\n')
  } finally {
    for (const close of closing.reverse()) await close()
  }
}

/** The same work in each state, in turns; ratios to the debugger being off, of the same round. */
async function slowdown(subjects: readonly (readonly [Subject, Program])[], rounds: number, judged: Judged[]): Promise<string> {
  const ratios = new Map<string, number>()
  const rows: string[][] = []
  for (const [subject, program] of subjects) {
    for (const call of calls) {
      const times = new Map<State, number[]>(states.map((state) => [state, []]))
      for (let round = 0; round < rounds; round++) {
        for (const state of states) times.get(state)?.push(await subject.time(call, state))
      }
      const off = times.get('off') ?? []
      for (const state of states.slice(1)) {
        const ratio = median((times.get(state) ?? []).map((ms, round) => ms / (off[round] ?? Number.NaN)))
        ratios.set(`${subject.name} ${call} ${state}`, ratio)
      }
      const shown = states.slice(1).map((state) => number(ratios.get(`${subject.name} ${call} ${state}`)))
      rows.push([`${subject.name}: ${program.work[call].title}`, number(median(off)), ...shown])
    }
  }
  const worst = (name: string, state: State): number =>
    Math.max(...calls.map((call) => ratios.get(`${name} ${call} ${state}`) ?? Number.NaN))
  const against = (call: Call): number =>
    (ratios.get(`TypeScript ${call} inside`) ?? 0) / (ratios.get(`node --inspect ${call} inside`) ?? 0)
  judged.push(
    ['Lua, debugger attached ÷ off, worst of the three', worst('Lua', 'attached'), 1.05],
    ['Lua, breakpoint elsewhere ÷ off', worst('Lua', 'elsewhere'), 1.15],
    ['Lua, breakpoint in the function ÷ off', worst('Lua', 'inside'), 4],
    ['TypeScript, debugger attached ÷ off', worst('TypeScript', 'attached'), 1.05],
    ['TypeScript, breakpoint elsewhere ÷ off', worst('TypeScript', 'elsewhere'), 1.05],
    ['TypeScript, breakpoint in the function, slowdown ÷ that of node --inspect', Math.max(...calls.map(against)), 1.1],
  )
  return table(['program', 'debugger off, ms', 'attached', 'breakpoint elsewhere', 'breakpoint in the function'], rows)
}

/** What a line costs whose breakpoint has a condition that is never true. */
async function conditions(
  lua: EngineSubject,
  typescript: EngineSubject,
  node: DebuggedSubject,
  passes: number,
  judged: Judged[],
): Promise<string> {
  const perHit = async (subject: DebuggedSubject, count: number): Promise<number> => {
    const without = await subject.passes(count, false)
    return ((await subject.passes(count, true)) - without) / count
  }
  // V8 stops for each: three orders of magnitude more than a line costs.
  const [luaHit, typescriptHit, nodeHit] = [
    await perHit(lua, passes),
    await perHit(typescript, Math.ceil(passes / 20)),
    await perHit(node, Math.ceil(passes / 20)),
  ]
  const [luaCall, typescriptCall] = [await lua.hostCall(Math.ceil(passes / 20)), await typescript.hostCall(Math.ceil(passes / 20))]
  judged.push(
    ['Lua, condition that is false ÷ one blocking host call', luaHit / luaCall, 0.15],
    ['TypeScript, condition that is false ÷ that of node --inspect', typescriptHit / nodeHit, 2],
  )
  const microseconds = (ms: number | undefined): string => number(ms === undefined ? undefined : ms * 1000)
  return table(
    ['microseconds', 'Lua', 'TypeScript', 'node --inspect'],
    [
      ['a condition that is false, per hit', microseconds(luaHit), microseconds(typescriptHit), microseconds(nodeHit)],
      ['a call of a host function that does nothing', microseconds(luaCall), microseconds(typescriptCall), '–'],
    ],
  )
}

/** From stepping over to having the stop, the stack, the scopes and the locals: at the engine, and as an editor sees it. */
async function steps(
  [lua, typescript, node]: readonly [DebuggedSubject, DebuggedSubject, DebuggedSubject],
  program: ReturnType<typeof programs>,
  count: number,
  judged: Judged[],
): Promise<string> {
  const atEngine = [await lua.steps(count), await typescript.steps(count), await node.steps(count)].map(median)
  const editor = await editorSteps(program, count)
  const [lua1, typescript1, node1] = atEngine
  judged.push(['TypeScript, a step with its data ÷ that of node --inspect', (typescript1 ?? 0) / (node1 ?? 0), 1.5])
  if (editor.debugpy) {
    judged.push(
      ['Lua, a step with its data over DAP ÷ that of debugpy', (editor.lua ?? 0) / editor.debugpy, 1],
      ['TypeScript, a step with its data over DAP ÷ that of debugpy', (editor.typescript ?? 0) / editor.debugpy, 1],
    )
  }
  return table(
    ['step over → stop → stack → scopes → locals, ms', 'Lua', 'TypeScript', 'node --inspect', 'debugpy'],
    [
      ['at the engine', number(lua1), number(typescript1), number(node1), '–'],
      ['as an editor sees it, over DAP', number(editor.lua), number(editor.typescript), '–', number(editor.debugpy)],
    ],
  )
}

async function editorSteps(
  programs: { lua: Program; typescript: Program },
  count: number,
): Promise<{ lua?: number; typescript?: number; debugpy?: number }> {
  const home = createHome()
  const dir = mkdtempSync(join(tmpdir(), 'llmspell-bench-'))
  const write = (name: string, text: string): string => {
    const file = join(dir, name)
    writeFileSync(file, text)
    return file
  }
  const ours = async (name: string, program: Program): Promise<number> => {
    const file = write(name, `${program.text}\n${program.steps}\n`)
    const command = [process.execPath, llmspellBin(), 'dap']
    return median(await adapterSteps({ command, env: home.env, program: file, line: program.line('step') }, count))
  }
  try {
    const lua = await ours('steps.lua', programs.lua)
    const typescript = await ours('steps.ts', programs.typescript)
    const python = toolPath('debugpy')
    if (!python) return { lua, typescript }
    const program = write(
      'steps.py',
      "def steps():\n    name, items, count = 'steps', [1, 2, 3], 0\n    while True:\n        count = count + 1\n        items[0] = count\n\nsteps()\n",
    )
    const launch = { python, console: 'internalConsole', redirectOutput: true }
    const times = await adapterSteps({ command: [python, '-m', 'debugpy.adapter'], env: home.env, program, line: 4, launch }, count)
    return { lua, typescript, debugpy: median(times) }
  } finally {
    rmSync(dir, { recursive: true, force: true })
    await home.dispose()
  }
}

/** What stepping backwards costs those who ask for it: each line is kept, so the price is one for a line. */
async function history(lua: EngineSubject, { rounds, steps: count }: DebuggerOptions): Promise<string> {
  const { target } = lua
  if (!target.features.stepBack) throw new Error('the Lua engine cannot step back')
  const loops = 1000
  const perLine: number[] = []
  for (let round = 0; round < rounds; round++) {
    await lua.enter('attached', 'loop')
    const without = await lua.cpu('loop(10)', `loop(${loops})`)
    await target.attach({ recordHistory: true })
    perLine.push(((await lua.cpu('loop(10)', `loop(${loops})`)) - without) / (3 * loops))
  }
  const plain = median(await lua.steps(count))
  await target.attach({ recordHistory: true })
  const before = process.memoryUsage.rss()
  const back: number[] = []
  let growth = 0
  const recording = median(
    await lua.stepping(count, async (threadId) => {
      growth = process.memoryUsage.rss() - before
      for (let index = 0; index < Math.min(count - 1, 50); index++) {
        const from = performance.now()
        await target.resume(threadId, 'stepBack')
        await lua.nextStop()
        back.push(performance.now() - from)
      }
    }),
  )
  return table(
    ['Lua that keeps a history', ''],
    [
      ['a line that is passed, µs', number(median(perLine) * 1000)],
      ['a step with its data, without recording, ms', number(plain)],
      ['a step with its data, recording, ms', number(recording)],
      ['a step back, ms', number(median(back))],
      [`memory of ${count} steps, MiB`, number(growth / 2 ** 20)],
    ],
  )
}
