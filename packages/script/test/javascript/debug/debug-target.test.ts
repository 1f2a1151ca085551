import type { DebugTarget } from '@llmspell/debug'
import { type DebuggedNamespace, describeDebugTarget, javascriptDebugPrograms, typescriptDebugPrograms } from '@llmspell/debug/testing'
import { engineUnderTest, until } from '../engine-under-test.ts'

for (const [name, programs] of Object.entries({ javascript: javascriptDebugPrograms, typescript: typescriptDebugPrograms })) {
  describeDebugTarget(`debug target of ${name}`, {
    programs,
    async open(): Promise<DebuggedNamespace> {
      const { engine, text, run } = engineUnderTest()
      await engine.start()
      return {
        target: engine.debugTarget as DebugTarget,
        run: (source, code) => run(code, { source, wantResult: false, language: name as 'javascript' | 'typescript' }),
        printed: () => text(),
        interrupt: () => engine.interrupt(),
        async lose() {
          const { pid } = engine.status
          process.kill(pid as number, 'SIGKILL')
          await until(() => engine.status.pid !== undefined && engine.status.pid !== pid, 'another process')
        },
        dispose: () => engine.dispose(),
      }
    },
  })
}
