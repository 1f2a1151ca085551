import type { Language } from '@llmspell/script'
import { javascriptEngineFactory } from '@llmspell/script/javascript'
import { describeScriptEngine, type EngineSamples } from '@llmspell/script/testing'

const quoted = (text: string): string => JSON.stringify(text)

/** The same cells for both languages; TypeScript says its types. */
function samples(language: Language, typed: (code: string, type: string) => string): EngineSamples {
  return {
    language,
    print: (text) => `console.log(${quoted(text)})`,
    printError: (text) => `console.error(${quoted(text)})`,
    printLines: (count) => `for (let ${typed('i', 'number')} = 1; i <= ${count}; i++) console.log(i)`,
    value: { code: '1 + 1', plain: '2' },
    define: (name, text) => `const ${typed(name, 'string')} = ${quoted(text)}`,
    read: (name) => name,
    shown: (text) => `'${text}'`,
    fail: (message) => `throw new Error(${quoted(message)})`,
    loop: 'while (true);',
    sleep: (seconds) => `await sleep(${seconds})`,
    ask: (prompt) => `console.log('got: ' + (input(${quoted(prompt)}) ?? 'nothing'))`,
    display: (plain, markdown) => `display({ 'text/plain': ${quoted(plain)}, 'text/markdown': ${quoted(markdown)} })`,
    call: (name, argument) => `console.log(await ${name}(${quoted(argument)}))`,
    catchCall: (name) => `try { await ${name}('x') } catch (error) { console.log(error.code) }`,
    exit: (code) => `process.exit(${code})`,
    crash: 'process.abort()',
    openComm: (target) => `Comm.open(${quoted(target)}, {}).id.length`,
    incomplete: 'function cast(spell) {',
    invalid: 'let = = 1',
    completion: { define: 'const wizard = { wand: 1, wave: 2 }', code: 'wizard.wa', expected: 'wand' },
    inspection: { define: 'function cast(spell, power) {}', code: 'cast', expected: 'cast(spell, power)' },
    env: (name) => `process.env[${quoted(name)}]`,
  }
}

describeScriptEngine('JavaScript', {
  factory: (catalogue) => javascriptEngineFactory({ catalogue }),
  samples: [samples('javascript', (code) => code), samples('typescript', (code, type) => `${code}: ${type}`)],
})
