import { luaEngineFactory } from '@llmspell/script/lua'
import { describeScriptEngine } from '@llmspell/script/testing'

/** Forged bytecode reads outside the memory, which ends the VM. Which byte does it depends on the build: one of these does. */
const CRASH = `
  local code = string.dump(function(a) local x = a.b x.c = 5 return x end, true)
  for _, forged in ipairs({ { 42, 64 }, { 45, 128 }, { 56, 3 } }) do
    local at, byte = table.unpack(forged)
    local f = load(code:sub(1, at) .. string.char(byte) .. code:sub(at + 2), "forged", "b")
    if f then pcall(f, { b = {} }) pcall(f, 1) pcall(f) end
  end`

const quoted = (text: string): string => JSON.stringify(text)

describeScriptEngine('Lua', {
  factory: (catalogue) => luaEngineFactory({ catalogue }),
  samples: [
    {
      language: 'lua',
      print: (text) => `print(${quoted(text)})`,
      printError: (text) => `io.stderr:write(${quoted(`${text}\n`)})`,
      printLines: (count) => `for i = 1, ${count} do print(i) end`,
      value: { code: '1 + 1', plain: '2' },
      define: (name, text) => `${name} = ${quoted(text)}`,
      read: (name) => name,
      shown: (text) => text,
      fail: (message) => `error(${quoted(message)})`,
      loop: 'while true do end',
      sleep: (seconds) => `sleep(${seconds})`,
      ask: (prompt) => `print("got: " .. (input(${quoted(prompt)}) or "nothing"))`,
      display: (plain, markdown) => `display({ ["text/plain"] = ${quoted(plain)}, ["text/markdown"] = ${quoted(markdown)} })`,
      call: (name, argument) => `print(${name}(${quoted(argument)}))`,
      catchCall: (name) => `local ok, failure = pcall(${name}, "x") print(failure.code)`,
      exit: (code) => `os.exit(${code})`,
      crash: CRASH,
      openComm: (target) => `Comm.open(${quoted(target)}, {})`,
      incomplete: 'for i = 1, 2 do',
      invalid: 'x = = 1',
      completion: { define: 'wizard = { wand = 1, wave = 2 }', code: 'wizard.wa', expected: 'wand' },
      inspection: { define: 'function cast(spell, power) end', code: 'cast', expected: 'cast(spell, power)' },
      env: (name) => `os.getenv(${quoted(name)})`,
    },
  ],
})
