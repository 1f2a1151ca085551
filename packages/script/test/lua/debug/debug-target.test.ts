import { execFileSync } from 'node:child_process'
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { delay } from '@llmspell/base'
import { describeDebugTarget, luaDebugPrograms } from '@llmspell/debug/testing'
import { openEngine } from '../open-engine.ts'

describeDebugTarget('Lua', {
  programs: { ...luaDebugPrograms, memory: "local bytes = '\\1\\2\\3\\4'\nprint(#bytes) -- @stop\n" },
  async open() {
    const { engine, host, begin } = await openEngine()
    const { debugTarget } = engine
    if (!debugTarget) throw new Error('the Lua engine has no debug target')
    return {
      target: debugTarget,
      run: (source, code) => begin(code, { source, wantResult: !isAbsolute(source) }),
      printed: () => host.text(),
      interrupt: () => engine.interrupt(),
      // A call that nothing can interrupt costs the engine its worker.
      lose: () =>
        withPipe(async (path) => {
          const open = `io.open(${JSON.stringify(path)})`
          const stuck =
            engine.status.state === 'busy'
              ? debugTarget.evaluate(open, undefined, 'repl').catch(() => undefined)
              : begin(open, { source: 'stuck' })
          await delay(100)
          await engine.interrupt()
          await stuck
          while (engine.status.state !== 'idle') await delay(20)
        }),
      dispose: () => engine.dispose(),
    }
  },
})

/** A pipe that nobody writes to, until the end. */
async function withPipe(use: (path: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'lua-debug-'))
  const path = join(directory, 'pipe')
  execFileSync('mkfifo', [path])
  try {
    await use(path)
  } finally {
    closeSync(openSync(path, constants.O_RDWR | constants.O_NONBLOCK))
    rmSync(directory, { recursive: true })
  }
}
