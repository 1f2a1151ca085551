import { EngineSubject } from './debugger/engine-subject.ts'
import { luaHookSubject } from './debugger/lua-hook-subject.ts'
import { NodeInspectSubject } from './debugger/node-inspect-subject.ts'
import { type Call, calls, luaProgram, type State, states, typescriptProgram } from './debugger/programs.ts'
import type { DebuggedSubject, Subject } from './debugger/subject.ts'
import { number, table } from './markdown.ts'
import { median } from './median.ts'

export async function measureDebugger(options: { rounds: number; steps: number; passes: number }): Promise<string> {
  const lua = await EngineSubject.open('Lua', 'lua', luaProgram)
  const native = luaHookSubject()
  try {
    const subjects: Subject[] = [lua, native]
    return await slowdown(subjects, options.rounds)
  } finally {
    await lua.close()
    await native.close()
  }
}

async function slowdown(subjects: readonly Subject[], rounds: number): Promise<string> {
  const rows: string[][] = []
  for (const call of calls) {
    const times = subjects.map(() => new Map<State, number[]>(states.map((state) => [state, []])))
    for (let round = 0; round < rounds; round++) {
      for (const [index, subject] of subjects.entries()) {
        for (const state of states) times[index]?.get(state)?.push(await subject.time(call, state))
      }
    }
    for (const [index, subject] of subjects.entries()) {
      const off = times[index]?.get('off') ?? []
      const ratio = (state: State): number => median((times[index]?.get(state) ?? []).map((ms, round) => ms / (off[round] ?? Number.NaN)))
      rows.push([subject.name, call, number(median(off)), ...states.slice(1).map((state) => number(ratio(state)))])
    }
  }
  return table(['', '', 'off, ms', 'attached', 'elsewhere', 'inside'], rows)
}
