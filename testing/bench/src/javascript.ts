import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHome, kernelMain, pythonPath, toolPath } from '@llmspell/testkit'
import { number, table } from './markdown.ts'
import { median } from './median.ts'

/** Each program is one cell; it prints the milliseconds that its work took, so that no start or transport is in the number. */
const programs: Record<string, string> = {
  'fib(32)': `function fib(n) { return n < 2 ? n : fib(n - 1) + fib(n - 2) }
    fib(20); const t = performance.now(); fib(32); console.log(performance.now() - t)`,
  'loop of 50M, top level':
    'let sum = 0; const t = performance.now(); for (let i = 0; i < 5e7; i++) sum = (sum + i) | 0; console.log(performance.now() - t)',
  'sort of 500k': `const list = Array.from({ length: 5e5 }, (_, i) => (i * 7919) % 1000003); const t = performance.now()
    list.sort((a, b) => a - b); console.log(performance.now() - t)`,
  'Map of 500k': `const map = new Map(); const t = performance.now(); for (let i = 0; i < 5e5; i++) map.set('k' + i, i)
    let sum = 0; for (const [, v] of map) sum += v; console.log(performance.now() - t)`,
  'JSON of 50k objects': `const data = Array.from({ length: 5e4 }, (_, i) => ({ id: i, name: 'n' + i, tags: ['a', 'b'] })); const t = performance.now()
    JSON.parse(JSON.stringify(data)); console.log(performance.now() - t)`,
  'regular expressions': `const text = 'lorem ipsum 2024-01-02 dolor '.repeat(20000); const t = performance.now()
    let n = 0; for (const _ of text.matchAll(/(\\d{4})-(\\d\\d)-(\\d\\d)/g)) n++; console.log(performance.now() - t)`,
  'awaits, 500k': 'const t = performance.now(); for (let i = 0; i < 5e5; i++) await 0; console.log(performance.now() - t)',
}

const inKernel = `
import json, sys
from kernels import Kernel
plan = json.load(open(sys.argv[1]))
with Kernel(plan['argv']) as kernel:
    client = kernel.client()
    client.ready(60)
    print('ready', flush=True)
    for line in sys.stdin:
        code = json.loads(line)
        done = client.execute(code, timeout=120)
        print(json.dumps({'out': done.stream(), 'error': None if done.status == 'ok' else done.content}), flush=True)
`

export async function measureJavaScript(options: { rounds: number }): Promise<string> {
  const home = createHome()
  const dir = mkdtempSync(join(tmpdir(), 'llmspell-bench-'))
  writeFileSync(
    join(dir, 'plan.json'),
    JSON.stringify({ argv: [process.execPath, kernelMain(), '--connection-file', '{connection_file}', '--language', 'javascript'] }),
  )
  const python = spawn(String(toolPath('pyzmq')), ['-c', inKernel, join(dir, 'plan.json')], {
    env: { ...home.env, PYTHONPATH: pythonPath },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = python.stdout.setEncoding('utf8')[Symbol.asyncIterator]() as AsyncIterator<string>
  let rest = ''
  const nextLine = async (): Promise<string> => {
    while (!rest.includes('\n')) {
      const { value, done } = await lines.next()
      if (done) throw new Error('the kernel ended')
      rest += value
    }
    const [line = '', ...more] = rest.split('\n')
    rest = more.join('\n')
    return line
  }
  const kernel = async (code: string): Promise<number> => {
    python.stdin.write(`${JSON.stringify(code)}\n`)
    const { out, error } = JSON.parse(await nextLine()) as { out: string; error: unknown }
    if (error) throw new Error(JSON.stringify(error))
    return Number(out)
  }
  const plain = (name: string, code: string): number => {
    const file = join(dir, `${Object.keys(programs).indexOf(name)}.mjs`)
    writeFileSync(file, code)
    const { status, stdout, stderr } = spawnSync(process.execPath, [file], { encoding: 'utf8' })
    if (status !== 0) throw new Error(stderr)
    return Number(stdout)
  }
  try {
    await nextLine()
    const times = new Map(Object.keys(programs).map((name) => [name, { node: [] as number[], cell: [] as number[] }]))
    for (let round = 0; round < options.rounds; round++) {
      for (const [name, code] of Object.entries(programs)) {
        times.get(name)?.node.push(plain(name, code))
        times.get(name)?.cell.push(await kernel(code))
      }
    }
    const rows = [...times].map(([name, { node, cell }]) => [
      name,
      number(median(node)),
      number(median(cell)),
      number(median(cell) / median(node)),
    ])
    return table(['program', 'node, ms', 'cell, ms', 'ratio'], rows)
  } finally {
    python.stdin.end()
    python.kill('SIGTERM')
    rmSync(dir, { recursive: true, force: true })
    await home.dispose()
  }
}
