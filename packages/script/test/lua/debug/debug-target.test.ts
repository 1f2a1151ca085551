import { isAbsolute } from 'node:path'
import { describeDebugTarget, luaDebugPrograms } from '@llmspell/debug/testing'
import { openEngine } from '../open-engine.ts'

describeDebugTarget('Lua', {
  programs: luaDebugPrograms,
  async open() {
    const { engine, host, begin } = await openEngine()
    const { debugTarget } = engine
    if (!debugTarget) throw new Error('the Lua engine has no debug target')
    return {
      target: debugTarget,
      run: (source, code) => begin(code, { source, wantResult: !isAbsolute(source) }),
      printed: () => host.text(),
      interrupt: () => engine.interrupt(),
      dispose: () => engine.dispose(),
    }
  },
})
