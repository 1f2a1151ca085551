import type { CommandSpec, OptionSpec, PositionalSpec } from '../command-line/spec.ts'

const connect: OptionSpec = {
  value: 'TARGET',
  describe: 'The kernel to use: an id, the path of a connection file, or tcp://HOST:PORT. Default: your own kernel, started if none runs.',
}
const language: OptionSpec = {
  value: 'LANGUAGE',
  choices: ['lua', 'js', 'javascript', 'ts', 'typescript'],
  describe: 'Language of the code.',
}
const id: OptionSpec = { value: 'ID', describe: 'The kernel, by its id.', default: 'default' }
const idArgument: PositionalSpec = { name: 'ID', describe: 'The kernel, by its id. Default: default.', complete: 'kernel' }
const timeout: OptionSpec = {
  value: 'SECONDS',
  number: 'decimal',
  describe: 'Interrupt the code after so many seconds; the exit code is then 124.',
}
const events =
  'one event a line: {"type":"start", "execution", "kernel"}, then stream, display_data, update_display_data, execute_result, clear_output and error events as in Jupyter, {"type":"page", "data"} for documentation asked with `name?`, at last {"type":"end", "status", "exitCode"}.'

const scope = {
  user: { describe: 'For you (the default).' },
  prefix: { value: 'DIR', describe: 'Below DIR/share/jupyter.' },
  'sys-prefix': { describe: 'In the active Python environment.' },
} satisfies Record<string, OptionSpec>

/** Every command with its options and words: what parsing, help, completion and the reference are made from. */
export const commands: CommandSpec = {
  name: 'llmspell',
  summary: 'Runs Lua, JavaScript and TypeScript in a kernel that stays up and remembers.',
  options: {
    help: { short: 'h', describe: 'Show this help.' },
    json: { describe: 'Print JSON, for programs.' },
    trace: {
      value: 'TOPICS',
      describe:
        'Print what passes between this program and the kernel to stderr: jupyter, dap, or all. Also set as LLMSPELL_TRACE for a kernel that is started.',
    },
    version: { short: 'V', describe: 'Show the version.' },
  },
  examples: ['llmspell run hello.lua', "llmspell exec 'return 6 * 7'", 'llmspell repl --lang ts', 'llmspell kernel status'],
  commands: [
    {
      name: 'run',
      summary: 'Run a script.',
      details:
        'The script gets a fresh namespace of its own and does not wait for other work of the kernel. Its output comes as it is written; its exit code becomes the exit code. Ctrl-C interrupts it, a second Ctrl-C leaves it running.',
      positionals: [
        {
          name: 'FILE',
          describe: 'A .lua, .js, .mjs, .cjs, .ts or .mts file; "-" reads the script from stdin (needs --lang).',
          required: true,
          complete: 'file',
        },
        { name: 'ARGS', describe: 'Arguments of the script; those that start with "-" stand behind "--".', rest: true },
      ],
      options: {
        lang: { ...language, default: 'by the file’s ending' },
        shared: { describe: 'Run in the namespace that exec, repl and notebooks share.' },
        timeout,
        connect,
      },
      examples: ['llmspell run report.ts -- --month 11', 'llmspell run --json job.lua | jq .'],
      json: events,
      load: () => import('./run.ts'),
    },
    {
      name: 'exec',
      summary: 'Run a line of code and print its value.',
      details: 'The code runs in the kernel’s shared namespace, the one of repl and notebooks: what it defines stays.',
      positionals: [{ name: 'CODE', describe: 'The code; "-" reads it from stdin.', required: true }],
      options: { lang: { ...language, default: 'the kernel’s' }, timeout, connect },
      examples: [
        "llmspell exec 'return 6 * 7'",
        'llmspell exec --lang ts "const n: number = 6; n * 7"',
        'echo "print(1)" | llmspell exec -',
      ],
      json: events,
      load: () => import('./exec.ts'),
    },
    {
      name: 'repl',
      summary: 'Open a prompt on the kernel’s shared namespace.',
      details:
        'Lines are added until the code is complete. Tab completes, Ctrl-R searches the history, Ctrl-C interrupts what runs (twice: leaves it running and ends). `:help` lists the commands of the prompt.',
      options: { lang: { ...language, default: 'the kernel’s' }, connect },
      json: 'the events of exec for each input.',
      load: () => import('./repl.ts'),
    },
    {
      name: 'debug',
      summary: 'Debug a script in the terminal.',
      details:
        'Runs the script up to its first line and takes commands, as gdb, lldb and pdb have them: break, tbreak, logpoint, continue, next, step, finish, until, locals, print, set, display, backtrace, frame, list, threads; `help` lists them all, any beginning of a name will do, an empty line repeats the last step. Ctrl-C stops a script that runs. What the script prints stands behind a bar. Commands also come from a file or a pipe. The exit code is the script’s.',
      positionals: [
        {
          name: 'FILE',
          describe: 'The script; with --attach: a running one, as its file or its execution. Default then: all of the kernel.',
          complete: 'file',
        },
        { name: 'ARGS', describe: 'Arguments of the script; those that start with "-" stand behind "--".', rest: true },
      ],
      options: {
        attach: { describe: 'Debug what runs in the kernel, and what will run; leaving lets it go on.' },
        record: { describe: 'Keep a history for `back` and `reverse-continue`; Lua only, slower.' },
        command: { value: 'FILE', describe: 'Do the commands of this file first, a line each.' },
        lang: { ...language, default: 'by the file’s ending' },
        connect,
      },
      examples: [
        'llmspell debug report.lua',
        "printf 'break 12 if i == 3\\ncontinue\\nlocals\\n' | llmspell debug report.lua",
        'llmspell debug --attach',
      ],
      json: 'no difference; for programs there is `llmspell dap`.',
      load: () => import('./debug.ts'),
    },
    {
      name: 'dap',
      summary: 'Let an editor debug scripts, by the Debug Adapter Protocol.',
      details:
        'Speaks the Debug Adapter Protocol on stdin and stdout until they close. `launch` runs a script under the debugger: program, args, cwd, env, language, stopOnEntry, noDebug, recordHistory. `attach` debugs what runs, and what will run: run (a file or an execution), recordHistory. Both take kernel (an id; default: your own kernel, started if none runs) and onDisconnect (continue, terminate or stay): what becomes of the script when the editor leaves.',
      options: {
        listen: {
          value: 'PORT|SOCKET',
          describe:
            'Take editors on this port of 127.0.0.1 (0: any), or on a socket that only you can open, until stopped. The address comes as a line of JSON. On a port, launch and attach need the token that stands there in their arguments, or the one in LLMSPELL_DAP_TOKEN.',
        },
      },
      examples: ['llmspell dap', 'llmspell dap --listen 4711', 'LLMSPELL_TRACE=dap llmspell dap 2>trace.log'],
      json: 'no difference: stdout has the address of --listen as {"transport", "host", "port" or "path", "token"}, else only the protocol.',
      load: () => import('./dap.ts'),
    },
    {
      name: 'kernel',
      summary: 'Start, stop and look at kernels.',
      commands: [
        {
          name: 'start',
          summary: 'Start a kernel.',
          details: 'In the foreground until Ctrl-C, or with --daemon in the background until `llmspell kernel stop`.',
          options: {
            daemon: { describe: 'In the background; returns when the kernel is ready.' },
            id: { ...id, describe: 'Name of the kernel.' },
            lang: { ...language, default: 'kernel.language of the configuration' },
            port: {
              value: 'N',
              number: 'integer',
              describe: 'Listen on tcp 127.0.0.1, ports N to N+4 (0: any), instead of files that only you can open.',
            },
            'connection-file': { value: 'FILE', describe: 'Also write a Jupyter connection file there.' },
            'idle-timeout': {
              value: 'TIME',
              describe: 'Stop after this time without work: 30m, 2h, 0 for never.',
              default: '0 with --daemon and in the foreground',
            },
          },
          json: '{"id", "pid", "connectionFile"}.',
          load: () => import('./kernel/start.ts'),
        },
        {
          name: 'stop',
          summary: 'Stop a kernel.',
          details: 'Asks the kernel to end; after the time-out it is terminated, then killed. Saved state stays.',
          positionals: [idArgument],
          options: {
            id,
            all: { describe: 'All your kernels.' },
            force: { describe: 'Terminate at once instead of asking.' },
            timeout: { value: 'SECONDS', number: 'decimal', describe: 'How long the kernel may take after being asked.', default: '15' },
          },
          json: '{"stopped":[{"id", "pid", "outcome"}]}; outcome is stopped, terminated or killed.',
          load: () => import('./kernel/stop.ts'),
        },
        {
          name: 'status',
          summary: 'Show what a kernel does.',
          positionals: [idArgument],
          options: { id, connect },
          json: 'the kernel’s record, its state, executions, engines, memory and counters.',
          load: () => import('./kernel/status.ts'),
        },
        {
          name: 'list',
          summary: 'List your kernels.',
          details: 'Dead ones are shown once; what they left behind is then removed.',
          json: '{"kernels":[{"id", "state", "pid", "language", "startedBy", "startedAt", "version", "connectionFile", …}]}.',
          load: () => import('./kernel/list.ts'),
        },
        {
          name: 'restart',
          summary: 'Give a kernel fresh namespaces, in place.',
          details: 'Running and queued code is aborted, variables are gone; connections, history and saved state stay.',
          positionals: [idArgument],
          options: { id, connect },
          json: '{"restarted":true}.',
          load: () => import('./kernel/restart.ts'),
        },
        {
          name: 'interrupt',
          summary: 'Stop the code that runs in the shared namespace.',
          positionals: [idArgument],
          options: {
            id,
            connect,
            execution: { value: 'ID', describe: 'Only this execution, as `kernel status` lists it: also a run of a script.' },
          },
          json: '{"interrupted"}: false when nothing was running.',
          load: () => import('./kernel/interrupt.ts'),
        },
        {
          name: 'connect',
          summary: 'Check the connection to a kernel and show how others connect.',
          positionals: [{ name: 'TARGET', describe: 'An id, a connection file or tcp://HOST:PORT. Default: default.', complete: 'kernel' }],
          json: '{"id", "connectionFile", "transport", "endpoint", "latencyMs", "kernelInfo"}.',
          load: () => import('./kernel/connect.ts'),
        },
        {
          name: 'logs',
          summary: 'Show a kernel’s log.',
          positionals: [idArgument],
          options: {
            id,
            lines: { short: 'n', value: 'N', number: 'integer', describe: 'The last N lines.', default: '50' },
            follow: { short: 'f', describe: 'Go on with what is added.' },
          },
          json: 'the log’s lines, which are JSON.',
          load: () => import('./kernel/logs.ts'),
        },
      ],
    },
    {
      name: 'kernelspec',
      summary: 'Make llmspell a kernel of Jupyter.',
      commands: [
        {
          name: 'install',
          summary: 'Install the kernels for Lua, JavaScript and TypeScript.',
          options: { ...scope, lang: { ...language, describe: 'Only this language.' } },
          json: '{"installed":[{"name", "directory"}]}.',
          load: () => import('./kernelspec/install.ts'),
        },
        {
          name: 'list',
          summary: 'List installed llmspell kernels.',
          json: '{"kernelspecs":[{"name", "directory", "argv", "problem"}]}.',
          load: () => import('./kernelspec/list.ts'),
        },
        {
          name: 'uninstall',
          summary: 'Remove them.',
          options: { ...scope, lang: { ...language, describe: 'Only this language.' } },
          json: '{"removed":[{"name", "directory"}]}.',
          load: () => import('./kernelspec/uninstall.ts'),
        },
      ],
    },
    {
      name: 'config',
      summary: 'Look at and change the configuration.',
      commands: [
        {
          name: 'init',
          summary: 'Write a configuration file with every setting, explained.',
          options: { force: { describe: 'Replace a file that is there.' } },
          json: '{"file"}.',
          load: () => import('./config/init.ts'),
        },
        {
          name: 'show',
          summary: 'Show every setting, its value and where that comes from.',
          json: '{"settings":[{"name", "value", "origin"}]}.',
          load: () => import('./config/show.ts'),
        },
        {
          name: 'validate',
          summary: 'Check a configuration file.',
          positionals: [{ name: 'FILE', describe: 'Default: your own.', complete: 'file' }],
          json: '{"file", "problems":[…]}.',
          load: () => import('./config/validate.ts'),
        },
        {
          name: 'path',
          summary: 'Show where configuration, state, logs and sockets are.',
          json: 'the paths.',
          load: () => import('./config/path.ts'),
        },
        {
          name: 'get',
          summary: 'Print the value of a setting.',
          positionals: [{ name: 'SETTING', describe: 'Its name, such as kernel.idle_timeout.', required: true, complete: 'setting' }],
          json: '{"name", "value", "origin"}.',
          load: () => import('./config/get.ts'),
        },
        {
          name: 'set',
          summary: 'Change a setting in your configuration file; comments stay.',
          positionals: [
            { name: 'SETTING', describe: 'Its name, such as kernel.idle_timeout.', required: true, complete: 'setting' },
            { name: 'VALUE', describe: 'The new value; without it the setting returns to its default.' },
          ],
          json: '{"name", "value", "file"}.',
          load: () => import('./config/set.ts'),
        },
      ],
    },
    {
      name: 'doctor',
      summary: 'Check what llmspell needs, by trying it.',
      json: '{"ok", "checks":[{"name", "status", "message", "hint"}]}; status is ok, warning or failed.',
      load: () => import('./doctor.ts'),
    },
    {
      name: 'version',
      summary: 'Show the versions of this program, of Node and of the running kernel.',
      json: '{"version", "node", "platform", "kernel"}.',
      load: () => import('./version.ts'),
    },
    {
      name: 'completion',
      summary: 'Print a completion script for your shell.',
      details:
        'bash: eval "$(llmspell completion bash)" in ~/.bashrc. zsh: the same in ~/.zshrc. fish: llmspell completion fish > ~/.config/fish/completions/llmspell.fish',
      positionals: [{ name: 'SHELL', describe: 'bash, zsh or fish. Default: yours.' }],
      json: '{"script"}.',
      load: () => import('./completion.ts'),
    },
  ],
}
