"""What the suites type into each kernel. `python3` is the reference: run the suites against it when one of them looks wrong."""

_history = [
    {'code': '1 + 1', 'result': '2'},
    {'code': '1 + 2', 'result': '3'},
    {'code': '10 * 4 + 2', 'result': '42'},
]
# of the three above, this pattern matches one
_history_pattern = '10*2'

LUA = {
    'language_info': {'name': 'lua', 'file_extension': '.lua'},
    'kernel_test': {
        'code_hello_world': 'print("hello, world")',
        'code_stderr': 'io.stderr:write("test\\n")',
        'completion_samples': [{'text': 'strin', 'matches': ['string']}, {'text': 'math.fl'}],
        'complete_code_samples': ['x = 1', 'print("x")', 'for i = 1, 2 do\n  print(i)\nend', '1 + 1', '', '-- only a comment'],
        'incomplete_code_samples': ['for i = 1, 2 do', 'function f()', 'x = [[several\nlines', 'x = {', 'if x then', 'print("a",'],
        'invalid_code_samples': ['x = = 1', 'end', 'local 1 = 2', 'x = "no end'],
        'code_generate_error': 'error("on purpose")',
        'code_execute_result': _history,
        'code_display_data': [
            {'code': 'Display.html("<b>test</b>")', 'mime': 'text/html'},
            {'code': 'Display.markdown("**test**")', 'mime': 'text/markdown'},
            {'code': 'Display.svg("<svg xmlns=\'http://www.w3.org/2000/svg\'/>")', 'mime': 'image/svg+xml'},
            {'code': 'Display.json({ a = 1 })', 'mime': 'application/json'},
            {'code': 'Display.table({ { a = 1 }, { a = 2 } })', 'mime': 'text/html'},
            {'code': 'Display.png("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")', 'mime': 'image/png'},
            {'code': 'Display.vega({ mark = "bar" })', 'mime': 'application/vnd.vegalite.v5+json'},
            {'code': 'display({ ["text/latex"] = "$x$" })', 'mime': 'text/latex'},
        ],
        'code_history_pattern': _history_pattern,
        'supported_history_operations': ('tail', 'range', 'search'),
        'code_inspect_sample': 'print',
        'code_page_something': 'string.format?',
        'code_clear_output': 'Display.clear()',
    },
    'print': 'print({0})',
    'stderr': 'io.stderr:write("to stderr\\n")',
    'lines': 'for i = 0, {0} - 1 do print(i) end',
    'set': 'kept = 41',
    'get': 'kept + 1',
    'expression': '6 * 7',
    'error': 'local t = nil; t.x = 1',
    'ename': 'LuaError',
    'syntax_error': 'x = = 1',
    'missing': 'no_such_thing.field',
    'interrupted': 'Interrupted',
    'loop': 'while true do end',
    'waits': 'sleep(60)',
    'input': 'name = input("Who? ")\nprint("Hello " .. tostring(name))',
    'password': 'print(#input("Secret: ", { password = true }))',
    'display': 'display("first", { id = "shown" })',
    'update': 'Display.update("shown", "second")',
    'html': 'Display.html("<b>bold</b>")',
    'mixed_output': 'print("one"); io.stderr:write("two\\n"); Display.html("<i>three</i>"); print("four"); error("five")',
    'clear_wait': 'Display.clear(true)',
    'complete_in': ('local s = "{text}"; strin', 'string'),
    'comm_target': '''Comm.register_target("echo", function(comm, data)
  comm:on_msg(function(data) comm:send({ got = data.value, len = 1 }) end)
  comm:send({ opened = data.value })
end)''',
    'comm_open': 'c = Comm.open("front", { hello = 1 })\nc:send({ more = 2 })\nc:close()',
    'write_file': 'local f = assert(io.open("{0}", "w")); f:write("written"); f:close()',
    'multi_line': ['for i = 1, 2 do', '  print("line " .. i)', 'end'],
    'complete_tab': ('setmeta', 'setmetatable'),
    'other_magic': ('%%js\nconsole.log("from js", 20 + 1)', 'from js 21'),
    'state_write': 'State.set("shared", 5)',
    'state_read': 'print(State.get("shared"))',
    'debug': {
        'cell': '-- 안녕 🚀\nlocal greeting = "안녕 🚀"\nlocal count = 20\ncount = count + 22\nprint(greeting .. " " .. count)',
        'line': 4,
        'locals': {'count': '20'},
        'evaluate': ('count * 2', '40'),
        'after': {'count': '42'},
        'printed': '안녕 🚀 42\n',
        'function': 'function triple(n)\n  return n * 3\nend',
        'call': 'print(triple(2))',
        'nested': 'nested = { inner = { 1, 2 } }',
    },
}

JAVASCRIPT = {
    'language_info': {'name': 'javascript', 'file_extension': '.js'},
    'kernel_test': {
        'code_hello_world': 'console.log("hello, world")',
        'code_stderr': 'console.error("test")',
        'completion_samples': [{'text': 'consol', 'matches': ['console']}, {'text': 'Math.flo'}],
        'complete_code_samples': ['1 + 1', 'function f() {\n  return 1\n}', 'await 1', 'const a = `x`', '', '// only a comment'],
        'incomplete_code_samples': ['function f() {', 'if (true) {', 'const x = `several\nlines', 'foo(1,', '[1, 2', 'class A {', '/* a comment'],
        'invalid_code_samples': ['x = = 1', '}', 'const 1 = 2', "'no end", 'a b c'],
        'code_generate_error': 'throw new TypeError("on purpose")',
        'code_execute_result': _history,
        'code_display_data': [
            {'code': 'Display.html("<b>test</b>")', 'mime': 'text/html'},
            {'code': 'Display.markdown("**test**")', 'mime': 'text/markdown'},
            {'code': 'Display.svg("<svg xmlns=\'http://www.w3.org/2000/svg\'/>")', 'mime': 'image/svg+xml'},
            {'code': 'Display.json({ a: 1 })', 'mime': 'application/json'},
            {'code': 'Display.table([{ a: 1 }, { a: 2 }])', 'mime': 'text/html'},
            {'code': 'Display.png("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")', 'mime': 'image/png'},
            {'code': 'Display.vega({ mark: "bar" })', 'mime': 'application/vnd.vegalite.v5+json'},
            {'code': 'display({ "text/latex": "$x$" })', 'mime': 'text/latex'},
        ],
        'code_history_pattern': _history_pattern,
        'supported_history_operations': ('tail', 'range', 'search'),
        'code_inspect_sample': 'console.log',
        'code_page_something': 'State.get?',
        'code_clear_output': 'Display.clear()',
    },
    'print': 'console.log(String({0}))',
    'stderr': 'console.error("to stderr")',
    'lines': 'for (let i = 0; i < {0}; i++) console.log(String(i))',
    'set': 'let kept = 41',
    'get': 'kept + 1',
    'expression': '6 * 7',
    'error': 'null.x = 1',
    'ename': 'TypeError',
    'syntax_error': 'x = = 1',
    'missing': 'noSuchThing.field',
    'interrupted': 'Interrupted',
    'loop': 'for (;;) {}',
    'waits': 'await new Promise(() => {})',
    'input': 'name = await input("Who? ")\nconsole.log("Hello " + name)',
    'password': 'console.log((await input("Secret: ", { password: true })).length)',
    'display': 'display("first", { id: "shown" })',
    'update': 'Display.update("shown", "second")',
    'html': 'Display.html("<b>bold</b>")',
    'mixed_output': 'console.log("one"); console.error("two"); Display.html("<i>three</i>"); console.log("four"); throw new Error("five")',
    'clear_wait': 'Display.clear(true)',
    'complete_in': ('const s = "{text}"; consol', 'console'),
    'comm_target': '''Comm.registerTarget("echo", (comm, data) => {
  comm.onMsg((data, buffers) => comm.send({ got: data.value, len: buffers.length }))
  comm.send({ opened: data.value })
})''',
    'comm_open': 'const c = Comm.open("front", { hello: 1 }); c.send({ more: 2 }); c.close()',
    'write_file': '(await import("node:fs")).writeFileSync("{0}", "written")',
    'multi_line': ['for (let i = 1; i <= 2; i++) {', '  console.log("line " + i)', '}'],
    'complete_tab': ('structuredC', 'structuredClone'),
    'other_magic': ('%%lua\nprint("from lua", 20 + 1)', 'from lua\t21'),
    'late': 'setTimeout(() => console.log("late"), 300); 1',
    'state_write': 'await State.set("shared", 5)',
    'state_read': 'console.log(await State.get("shared"))',
    'debug': {
        'cell': '// 안녕 🚀\n{ const greeting = "안녕 🚀"\n  let count = 20\n  count = count + 22\n  console.log(greeting + " " + count)\n}',
        'line': 4,
        'locals': {'count': '20'},
        'evaluate': ('count * 2', '40'),
        'after': {'count': '42'},
        'printed': '안녕 🚀 42\n',
        'function': 'function triple(n) {\n  return n * 3\n}',
        'call': 'console.log(triple(2))',
        'nested': 'var nested = { inner: [1, 2] }',
    },
}

TYPESCRIPT = {
    **JAVASCRIPT,
    'language_info': {'name': 'typescript', 'file_extension': '.ts'},
    'kernel_test': {
        **JAVASCRIPT['kernel_test'],
        'complete_code_samples': ['const n: number = 1', 'interface A { x: number }', 'enum E { A, B }', '(1 as number) + 1', 'type T = Array<string>'],
        'incomplete_code_samples': ['interface A {', 'function f(a: number): string {', 'enum E {', 'const x: Array<', 'namespace N {'],
        'invalid_code_samples': ['x = = 1', '}', 'const a: = 1'],
    },
    'set': 'let kept: number = 41',
    'get': '(kept as number) + 1',
    'debug': {
        **JAVASCRIPT['debug'],
        'cell': '// 안녕 🚀\n{ const greeting: string = "안녕 🚀"\n  let count: number = 20\n  count = count + 22\n  console.log(greeting + " " + count)\n}',
        'function': 'function triple(n: number): number {\n  return n * 3\n}',
    },
}

PYTHON = {
    'language_info': {'name': 'python', 'file_extension': '.py'},
    'kernel_test': {
        'code_hello_world': "print('hello, world')",
        'code_stderr': "import sys; print('test', file=sys.stderr)",
        'completion_samples': [{'text': 'zi', 'matches': ['zip']}],
        'complete_code_samples': ['1', "print('x')"],
        'incomplete_code_samples': ["print('''hello", 'def f(x):'],
        'invalid_code_samples': ['import = 7q'],
        'code_page_something': 'zip?',
        'code_generate_error': 'raise ValueError',
        'code_execute_result': _history,
        'code_display_data': [{'code': "from IPython.display import HTML, display; display(HTML('<b>test</b>'))", 'mime': 'text/html'}],
        'code_history_pattern': _history_pattern,
        'supported_history_operations': ('tail', 'search'),
        'code_inspect_sample': 'zip',
        'code_clear_output': 'from IPython.display import clear_output; clear_output()',
    },
    'print': 'print({0})',
    'stderr': 'import sys; print("to stderr", file=sys.stderr)',
    'lines': 'for i in range({0}): print(i)',
    'set': 'kept = 41',
    'get': 'kept + 1',
    'expression': '6 * 7',
    'error': 'raise ValueError("on purpose")',
    'ename': 'ValueError',
    'syntax_error': 'x = = 1',
    'missing': 'no_such_thing.field',
    'interrupted': 'KeyboardInterrupt',
    'loop': 'while True: pass',
    'waits': 'import time; time.sleep(60)',
    'input': 'name = input("Who? ")\nprint("Hello " + name)',
    'password': 'import getpass; print(len(getpass.getpass("Secret: ")))',
    'display': 'from IPython.display import display; h = display("first", display_id="shown")',
    'update': 'h.update("second")',
    'html': 'from IPython.display import HTML, display; display(HTML("<b>bold</b>"))',
    'mixed_output': 'import sys; from IPython.display import HTML, display\nprint("one"); print("two", file=sys.stderr); display(HTML("<i>three</i>")); print("four"); raise ValueError("five")',
    'clear_wait': 'from IPython.display import clear_output; clear_output(wait=True)',
    'complete_in': ('s = "{text}"; pri', 'print'),
    'comm_target': '''def target(comm, open_message):
    comm.on_msg(lambda m: comm.send({'got': m['content']['data']['value'], 'len': len(m['buffers'])}))
    comm.send({'opened': open_message['content']['data']['value']})
get_ipython().kernel.comm_manager.register_target('echo', target)''',
    'comm_open': 'from ipykernel.comm import Comm; c = Comm(target_name="front", data={"hello": 1}); c.send({"more": 2}); c.close()',
    'write_file': 'open("{0}", "w").write("written")',
    'multi_line': ['for i in (1, 2):', '    print("line", i)', ''],
    'complete_tab': ('memoryv', 'memoryview'),
}

DENO = {
    **{k: v for k, v in JAVASCRIPT.items() if not k.startswith(('state', 'other', 'input', 'password', 'clear'))},
    'language_info': {'name': 'typescript', 'file_extension': '.ts'},
    'kernel_test': {
        **{k: v for k, v in JAVASCRIPT['kernel_test'].items() if 'history' not in k and 'clear' not in k},
        'code_display_data': [{'code': "Deno.jupyter.display({ 'text/html': '<b>x</b>' }, { raw: true })", 'mime': 'text/html'}],
        'completion_samples': [{'text': 'consol', 'matches': ['console']}],
    },
    'ename': 'TypeError',
}

PROFILES = {
    'llmspell-lua': LUA,
    'llmspell-javascript': JAVASCRIPT,
    'llmspell-typescript': TYPESCRIPT,
    'python3': PYTHON,
    'deno': DENO,
}


def profile(argv):
    """The kernelspec's name (the script's first word that is no option) and what to type into it."""
    name = next(a for a in argv[1:] if not a.startswith('-'))
    return name, PROFILES[name]
