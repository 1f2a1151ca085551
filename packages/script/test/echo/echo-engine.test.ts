import { describeScriptEngine } from '@llmspell/script/testing'
import { echoEngineFactory } from '../../src/echo/echo-engine.ts'

describeScriptEngine('echo', {
  factory: () => echoEngineFactory(['lua']),
  samples: [
    {
      language: 'lua',
      print: (text) => `print ${text}`,
      printError: (text) => `stderr ${text}`,
      printLines: (count) => `lines ${count}`,
      value: { code: 'hello', plain: 'hello' },
      define: (name, text) => `set ${name} ${text}`,
      read: (name) => `get ${name}`,
      shown: (text) => text,
      fail: (message) => `error ${message}`,
      loop: 'spin',
      sleep: (seconds) => `sleep ${seconds * 1000}`,
      ask: (prompt) => `input ${prompt}`,
      display: (plain, markdown) => `display ${JSON.stringify({ 'text/plain': plain, 'text/markdown': markdown })}`,
      call: (name, argument) => `call ${name} ${JSON.stringify([argument])}`,
      exit: (code) => `exit ${code}`,
      crash: 'crash',
      openComm: (target) => `comm open c1 ${target} {}`,
      incomplete: 'print \\',
      invalid: ')',
      completion: { code: 'pri', expected: 'print' },
      inspection: { code: 'sleep', expected: 'wait' },
      env: (name) => `get ${name}`,
    },
  ],
})
