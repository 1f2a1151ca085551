import { describeDebugTarget } from '../../src/testing/index.ts'
import { ToyEngine } from '../toy/toy-engine.ts'
import { toyPrograms } from '../toy/toy-programs.ts'

describeDebugTarget('toy', {
  programs: toyPrograms,
  async open() {
    const engine = new ToyEngine()
    return {
      target: engine.target,
      run: (source, code) => engine.run(source, code),
      printed: () => engine.printed,
      interrupt: () => engine.interrupt(),
      lose: () => engine.lose(),
      dispose: () => engine.interrupt(),
    }
  },
})
