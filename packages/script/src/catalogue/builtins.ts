import type { CatalogueParameter, FunctionDescription, ModuleDescription } from './catalogue.ts'

/**
 * The globals that engines provide themselves, described like the rest of the catalogue: in completion, documentation and type
 * files they look the same as the modules whose functions run in the kernel.
 */
export const builtinModules: readonly ModuleDescription[] = [
  {
    name: 'Output',
    doc: 'Rich output of a cell: tables, pictures and documents next to plain text. Without a front end that draws them, their text is printed.',
    global: true,
    functions: [
      {
        name: 'display',
        immediate: true,
        doc: 'Shows a value. A table whose keys are MIME types is shown as that bundle, any other value as text.',
        parameters: [
          { name: 'value', type: 'any', doc: 'a value, or a table such as `{["text/markdown"] = "**bold**"}`' },
          displayOptions(),
        ],
        examples: { lua: 'display({ ["text/markdown"] = "**bold**" })', javascript: "display({ 'text/markdown': '**bold**' })" },
      },
    ],
  },
  {
    name: 'Display',
    doc: 'Shows a value as one kind of rich output. Every function takes `id`, under which `Display.update` replaces the output later.',
    functions: [
      shows('html', 'HTML.', { name: 'html', type: 'string', doc: 'the markup' }),
      shows('markdown', 'Markdown.', { name: 'text', type: 'string', doc: 'the text' }, 'Display.markdown("# Title")'),
      shows('svg', 'an SVG picture.', { name: 'svg', type: 'string', doc: 'the markup' }),
      shows('png', 'a PNG picture.', { name: 'data', type: 'any', doc: 'the bytes, or base64 text' }),
      shows('json', 'a value as a JSON tree.', { name: 'value', type: 'any', doc: 'what JSON can hold' }),
      shows('table', 'rows as a table.', { name: 'rows', type: 'array', doc: 'a list of objects or of lists' }),
      shows('vega', 'a Vega-Lite chart.', { name: 'spec', type: 'object', doc: 'the Vega-Lite specification' }),
      shows('latex', 'mathematics.', { name: 'text', type: 'string', doc: 'LaTeX source' }),
      shows('javascript', 'the effect of JavaScript run by the front end.', { name: 'source', type: 'string', doc: 'the program' }),
      {
        name: 'update',
        immediate: true,
        doc: 'Replaces an output that was shown with this id.',
        parameters: [
          { name: 'id', type: 'string', doc: 'the id it was shown with' },
          { name: 'value', type: 'any', doc: 'the new value, as for `display`' },
        ],
        examples: { lua: 'display("10 %", { id = "progress" })\nDisplay.update("progress", "20 %")' },
      },
      {
        name: 'clear',
        immediate: true,
        doc: 'Clears the output of the cell.',
        parameters: [{ name: 'wait', type: 'boolean', optional: true, doc: 'clear only when new output arrives, which avoids flicker' }],
      },
    ],
  },
  {
    name: 'Input',
    doc: 'Asking the person at the client.',
    global: true,
    functions: [
      {
        name: 'input',
        immediate: true,
        doc: 'Asks for one line. Fails with code `input.not_allowed` when the client takes no input; gives nothing at the end of input.',
        parameters: [
          { name: 'prompt', type: 'string', optional: true, doc: 'shown before the answer' },
          {
            name: 'options',
            type: 'object',
            optional: true,
            doc: 'how to ask',
            fields: [{ name: 'password', type: 'boolean', optional: true, doc: 'do not show what is typed' }],
          },
        ],
        result: { type: ['string', 'nil'], doc: 'the line without its end' },
      },
    ],
  },
  {
    name: 'Script',
    doc: 'The running script.',
    global: true,
    values: [{ name: 'Args', type: 'array', doc: 'The arguments given to the script.' }],
    functions: [
      {
        name: 'sleep',
        doc: 'Waits. An interrupt ends the wait.',
        parameters: [{ name: 'seconds', type: 'number', doc: 'how long; fractions are allowed' }],
        examples: { lua: 'sleep(0.01)', javascript: 'await sleep(0.01)' },
      },
    ],
  },
  {
    name: 'JSON',
    doc: 'JSON text. A table with the keys 1 to n is a list, any other table an object; so is an empty table, unless it was read as a list.',
    languages: ['lua'],
    values: [{ name: 'null', type: 'any', doc: 'Stands for JSON null, which a Lua table cannot hold as nil.' }],
    functions: [
      {
        name: 'parse',
        doc: 'Reads JSON text.',
        parameters: [{ name: 'text', type: 'string', doc: 'the text' }],
        result: { type: 'any', doc: 'the value; null is `JSON.null`' },
        examples: { lua: 'assert(JSON.parse(\'{"a": [1, 2]}\').a[2] == 2)' },
      },
      {
        name: 'stringify',
        doc: 'Writes a value as JSON text.',
        parameters: [
          { name: 'value', type: ['any', 'nil'], doc: 'what JSON can hold' },
          { name: 'indent', type: 'integer', optional: true, doc: 'spaces per level; without it the text is one line' },
        ],
        result: { type: 'string', doc: 'the text' },
        examples: { lua: 'assert(JSON.stringify({ 1, 2 }) == "[1,2]")' },
      },
    ],
  },
  {
    name: 'Log',
    doc: 'Writes to the log of the kernel.',
    functions: (['debug', 'info', 'warn', 'error'] as const).map((level) => ({
      name: level,
      immediate: true,
      doc: `Logs at level ${level}.`,
      parameters: [
        { name: 'message', type: 'string', doc: 'what happened' },
        { name: 'fields', type: 'object', optional: true, doc: 'details, as data' },
      ],
    })),
  },
  {
    name: 'Comm',
    doc: 'Channels between the script and a front end, such as a widget: `comm:send(data)`, `comm:on_msg(fn)`, `comm:on_close(fn)`, `comm:close()`.',
    languages: ['lua'],
    functions: [
      opensComm(),
      {
        name: 'register_target',
        doc: 'Names a function that is called with the channel and the data when a front end opens a channel to this name.',
        parameters: [
          { name: 'name', type: 'string', doc: 'the name' },
          { name: 'fn', type: 'any', doc: 'called with `(comm, data)`' },
        ],
      },
    ],
  },
  {
    name: 'Comm',
    doc: 'Channels between the script and a front end, such as a widget: `comm.send(data)`, `comm.onMsg(fn)`, `comm.onClose(fn)`, `comm.close()`.',
    languages: ['javascript'],
    functions: [
      opensComm(),
      {
        name: 'registerTarget',
        immediate: true,
        doc: 'Names a function that is called with the channel and the data when a front end opens a channel to this name.',
        parameters: [
          { name: 'name', type: 'string', doc: 'the name' },
          { name: 'fn', type: 'any', doc: 'called with `(comm, data)`' },
        ],
      },
    ],
  },
]

function displayOptions(): CatalogueParameter {
  return {
    name: 'options',
    type: 'object',
    optional: true,
    doc: 'how to show it',
    fields: [
      { name: 'id', type: 'string', optional: true, doc: 'a name under which `Display.update` replaces this output' },
      { name: 'metadata', type: 'object', optional: true, doc: 'Jupyter metadata of the output' },
    ],
  }
}

function opensComm(): FunctionDescription {
  return {
    name: 'open',
    immediate: true,
    doc: 'Opens a channel to a target of the front end.',
    parameters: [
      { name: 'target', type: 'string', doc: 'the name that the front end registered' },
      { name: 'data', type: 'any', optional: true, doc: 'what the target gets on opening' },
      { name: 'metadata', type: 'object', optional: true, doc: 'metadata of the message' },
    ],
    result: { type: 'any', doc: 'the channel' },
  }
}

function shows(name: string, what: string, value: CatalogueParameter, lua?: string): FunctionDescription {
  return { name, immediate: true, doc: `Shows ${what}`, parameters: [value, displayOptions()], ...(lua && { examples: { lua } }) }
}
