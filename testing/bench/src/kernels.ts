import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { kernelMain, pythonPath, toolPath } from '@llmspell/testkit'
import { number, table } from './markdown.ts'
import { median } from './median.ts'
import { denoBinary, hasIpykernel } from './peers.ts'

interface Snippets {
  complete: string
  lines: string
  bytes: string
  set?: string
  get?: string
  loop?: string
  /** False: it does not evaluate expressions. */
  computes?: boolean
}

interface Subject {
  name: string
  argv: string[]
  env?: Record<string, string>
  interrupt: 'message' | 'signal'
  code: Snippets
  all_languages?: string[]
}

const script = {
  complete: 'consol',
  lines: 'for (let i = 0; i < LINES; i++) console.log(String(i))',
  bytes: `for (let i = 0; i < BLOCKS; i++) console.log('x'.repeat(65535))`,
  set: 'let kept = 41',
  get: 'kept + 1',
  loop: 'for (;;) {}',
}
const lua = {
  complete: 'strin',
  lines: 'for i = 0, LINES - 1 do print(i) end',
  bytes: `local block = ('x'):rep(65535)\nfor i = 1, BLOCKS do print(block) end`,
  set: 'kept = 41',
  get: 'kept + 1',
  loop: 'while true do end',
}
const python = {
  complete: 'prin',
  lines: 'for i in range(LINES): print(i)',
  bytes: `for i in range(BLOCKS): print('x' * 65535)`,
  set: 'kept = 41',
  get: 'kept + 1',
  loop: 'while True: pass',
}

/** What the aims are measured by: our three kernels. */
const ours = ['Lua', 'JavaScript', 'TypeScript'] as const

function subjects(home: string, installPeers: boolean, wanted: (name: string) => boolean): Subject[] {
  const found: Subject[] = [
    {
      name: 'no-op',
      argv: [process.execPath, fileURLToPath(new URL('./noop-kernel.ts', import.meta.url)), '{connection_file}'],
      interrupt: 'message',
      code: { complete: 'x', lines: 'lines LINES', bytes: 'bytes BLOCKS', computes: false },
    },
  ]
  if (hasIpykernel()) {
    const argv = [String(toolPath('ipykernel')), '-m', 'ipykernel_launcher', '-f', '{connection_file}']
    found.push({ name: 'ipykernel', argv, env: { IPYTHONDIR: join(home, 'ipython') }, interrupt: 'signal', code: python })
  }
  const deno = denoBinary(installPeers)
  if (deno) {
    const argv = [deno, 'jupyter', '--kernel', '--conn', '{connection_file}']
    found.push({ name: 'Deno', argv, env: { DENO_DIR: join(home, 'deno'), NO_COLOR: '1' }, interrupt: 'signal', code: script })
  }
  for (const name of ours.filter(wanted)) {
    const argv = [process.execPath, kernelMain(), '--connection-file', '{connection_file}', '--language', name.toLowerCase()]
    const subject: Subject = {
      name,
      argv,
      env: { LLMSPELL_HOME: join(home, name) },
      interrupt: 'message',
      code: name === 'Lua' ? lua : script,
    }
    if (name === 'TypeScript') subject.all_languages = ['lua', 'javascript', 'typescript']
    found.push(subject)
  }
  return found.filter(({ name }) => wanted(name))
}

export interface KernelNumbers {
  subjects: string[]
  /** Median by row and kernel. */
  rows: Map<string, Map<string, number>>
  problems: Map<string, Set<string>>
}

/** Starts each kernel afresh in every round, in turn, and measures it with a Python client over tcp. */
export async function measureKernels(options: {
  quick: boolean
  rounds: number
  only?: readonly string[]
  installPeers: boolean
}): Promise<KernelNumbers> {
  const home = mkdtempSync(join(tmpdir(), 'llmspell-bench-'))
  try {
    const kernels = subjects(home, options.installPeers, (name) => !options.only || options.only.includes(name))
    const size = options.quick
      ? { executes: 20, completes: 5, pipelined: 50, lines: 1000, blocks: 8, clients: 5 }
      : { executes: 300, completes: 50, pipelined: 1000, lines: 100_000, blocks: 800, clients: 50 }
    const plan = join(home, 'plan.json')
    writeFileSync(plan, JSON.stringify({ kernels, size, rounds: options.rounds }))
    const child = spawn(String(toolPath('pyzmq')), [fileURLToPath(new URL('../python/measure.py', import.meta.url)), plan], {
      env: { ...process.env, PYTHONPATH: pythonPath, PYTHONDONTWRITEBYTECODE: '1' },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const samples = new Map<string, Map<string, number[]>>()
    const problems = new Map<string, Set<string>>()
    for await (const line of createInterface({ input: child.stdout })) {
      const told = JSON.parse(line) as { kernel: string; row: string; value?: number; error?: string }
      if (told.error !== undefined) entry(problems, told.kernel, () => new Set<string>()).add(told.error)
      else
        entry(
          entry(samples, told.row, () => new Map<string, number[]>()),
          told.kernel,
          () => [] as number[],
        ).push(told.value ?? Number.NaN)
    }
    const rows = new Map([...samples].map(([row, values]) => [row, new Map([...values].map(([name, list]) => [name, median(list)]))]))
    return { subjects: kernels.map(({ name }) => name), rows, problems }
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

function entry<V>(map: Map<string, V>, key: string, make: () => V): V {
  const found = map.get(key) ?? make()
  map.set(key, found)
  return found
}

interface Row {
  key: string
  title: string
  /** At most (or, for rates, at least) this many times the peer's number. */
  aim?: { times: number; peer: 'ipykernel' | 'Deno' }[]
  atLeast?: boolean
  digits?: number
}

const kernelRows: Row[] = [
  {
    key: 'execute',
    title: 'execute 1+1 to idle, ms',
    aim: [
      { times: 0.6, peer: 'Deno' },
      { times: 0.15, peer: 'ipykernel' },
    ],
  },
  { key: 'kernel_info', title: 'cold start to kernel_info, ms', aim: [{ times: 1, peer: 'Deno' }] },
  { key: 'first_execute', title: 'cold start to first result, ms', aim: [{ times: 1, peer: 'Deno' }] },
  { key: 'pipelined', title: 'pipelined executes per s', aim: [{ times: 2, peer: 'Deno' }], atLeast: true },
  { key: 'complete', title: 'completion, ms', aim: [{ times: 0.3, peer: 'Deno' }] },
  { key: 'lines', title: '100k lines to last byte, s', aim: [{ times: 1.5, peer: 'ipykernel' }] },
  { key: 'bytes', title: '50 MB to last byte, s', aim: [{ times: 1, peer: 'ipykernel' }] },
  { key: 'clients', title: '8 clients, executes per s', aim: [{ times: 2, peer: 'Deno' }], atLeast: true },
  { key: 'interrupt', title: 'interrupt of a loop, ms', aim: [{ times: 1, peer: 'ipykernel' }] },
  { key: 'rss_idle', title: 'RSS idle, one language, MiB', aim: [{ times: 1.2, peer: 'ipykernel' }] },
  { key: 'pss_idle', title: 'PSS idle, one language, MiB' },
  { key: 'rss_after', title: 'RSS after these tests, MiB' },
]

/** The table of medians, and the table of ratios to the peers with the aims. */
export function kernelTables({ subjects, rows, problems }: KernelNumbers): string {
  const value = (row: string, name: string): number | undefined => rows.get(row)?.get(name)
  const medians = kernelRows.map(({ key, title }) => [title, ...subjects.map((name) => number(value(key, name)))])
  const all = value('rss_all', 'TypeScript')
  const parts = [table(['median of the rounds', ...subjects], medians)]

  const ratios: string[][] = []
  for (const { key, title, aim = [], atLeast } of kernelRows) {
    for (const { times, peer } of aim) {
      const base = value(key, peer)
      if (base === undefined) continue
      const each = ours.map((name) => (value(key, name) ?? Number.NaN) / base)
      ratios.push([`${title} ÷ ${peer}`, ...each.map(number), `${atLeast ? '≥' : '≤'} ${times}`, verdict(each, times, atLeast)])
    }
  }
  const deno = value('rss_idle', 'Deno')
  if (all !== undefined && deno !== undefined) {
    ratios.push(['RSS idle, all languages ÷ Deno', '', '', number(all / deno), '≤ 0.7', verdict([all / deno], 0.7)])
  }
  if (ratios.length > 0) parts.push(table(['ratio', ...ours, 'aim', ''], ratios))

  const wrong = subjects.map((name) => [name, [...(problems.get(name) ?? [])].join('; ') || 'none'])
  parts.push(table(['kernel', 'output lost or late, wrong replies, failures'], wrong))
  if (all !== undefined)
    parts.push(
      `All three languages in use in one kernel: ${number(all)} MiB resident, ${number(value('pss_all', 'TypeScript'))} MiB with shared pages counted once.`,
    )
  return parts.join('\n\n')
}

function verdict(ratios: readonly number[], times: number, atLeast = false): string {
  if (ratios.some(Number.isNaN)) return 'not measured'
  const short = ratios.filter((ratio) => !(atLeast ? ratio >= times : ratio <= times))
  return short.length === 0 ? 'met' : 'falls short'
}
