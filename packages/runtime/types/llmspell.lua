---@meta
-- Globals of llmspell scripts. Generated from the catalogue; do not edit.

---Shows a value. A table whose keys are MIME types is shown as that bundle, any other value as text.
---@param value any a value, or a table such as `{["text/markdown"] = "**bold**"}`
---@param options? { id?: string, metadata?: table } how to show it
function display(value, options) end

---Shows a value as one kind of rich output. Every function takes `id`, under which `Display.update` replaces the output later.
---@class Displaylib
Display = {}

---Shows HTML.
---@param html string the markup
---@param options? { id?: string, metadata?: table } how to show it
function Display.html(html, options) end

---Shows Markdown.
---@param text string the text
---@param options? { id?: string, metadata?: table } how to show it
function Display.markdown(text, options) end

---Shows an SVG picture.
---@param svg string the markup
---@param options? { id?: string, metadata?: table } how to show it
function Display.svg(svg, options) end

---Shows a PNG picture.
---@param data any the bytes, or base64 text
---@param options? { id?: string, metadata?: table } how to show it
function Display.png(data, options) end

---Shows a value as a JSON tree.
---@param value any what JSON can hold
---@param options? { id?: string, metadata?: table } how to show it
function Display.json(value, options) end

---Shows rows as a table.
---@param rows any[] a list of objects or of lists
---@param options? { id?: string, metadata?: table } how to show it
function Display.table(rows, options) end

---Shows a Vega-Lite chart.
---@param spec table the Vega-Lite specification
---@param options? { id?: string, metadata?: table } how to show it
function Display.vega(spec, options) end

---Shows mathematics.
---@param text string LaTeX source
---@param options? { id?: string, metadata?: table } how to show it
function Display.latex(text, options) end

---Shows the effect of JavaScript run by the front end.
---@param source string the program
---@param options? { id?: string, metadata?: table } how to show it
function Display.javascript(source, options) end

---Replaces an output that was shown with this id.
---@param id string the id it was shown with
---@param value any the new value, as for `display`
function Display.update(id, value) end

---Clears the output of the cell.
---@param wait? boolean clear only when new output arrives, which avoids flicker
function Display.clear(wait) end

---Asks for one line. Fails with code `input.not_allowed` when the client takes no input; gives nothing at the end of input.
---@param prompt? string shown before the answer
---@param options? { password?: boolean } how to ask
---@return string|nil # the line without its end
function input(prompt, options) end

---The arguments given to the script.
---@type any[]
Args = nil

---Waits. An interrupt ends the wait.
---@param seconds number how long; fractions are allowed
function sleep(seconds) end

---JSON text. A table with the keys 1 to n is a list, any other table an object; so is an empty table, unless it was read as a list.
---@class JSONlib
JSON = {}

---Stands for JSON null, which a Lua table cannot hold as nil.
---@type any
JSON.null = nil

---Reads JSON text.
---@param text string the text
---@return any # the value; null is `JSON.null`
function JSON.parse(text) end

---Writes a value as JSON text.
---@param value any|nil what JSON can hold
---@param indent? integer spaces per level; without it the text is one line
---@return string # the text
function JSON.stringify(value, indent) end

---Writes to the log of the kernel.
---@class Loglib
Log = {}

---Logs at level debug.
---@param message string what happened
---@param fields? table details, as data
function Log.debug(message, fields) end

---Logs at level info.
---@param message string what happened
---@param fields? table details, as data
function Log.info(message, fields) end

---Logs at level warn.
---@param message string what happened
---@param fields? table details, as data
function Log.warn(message, fields) end

---Logs at level error.
---@param message string what happened
---@param fields? table details, as data
function Log.error(message, fields) end

---Channels between the script and a front end, such as a widget: `comm:send(data)`, `comm:on_msg(fn)`, `comm:on_close(fn)`, `comm:close()`.
---@class Commlib
Comm = {}

---Opens a channel to a target of the front end.
---@param target string the name that the front end registered
---@param data? any what the target gets on opening
---@param metadata? table metadata of the message
---@return any # the channel
function Comm.open(target, data, metadata) end

---Names a function that is called with the channel and the data when a front end opens a channel to this name.
---@param name string the name
---@param fn any called with `(comm, data)`
function Comm.register_target(name, fn) end

---Values that outlive the script, the client and the kernel, shared by all languages. Anything JSON can hold; a write that returned is on disk.
---@class Statelib
State = {}

---The value of a key, or nothing when there is none.
---@param key string the name of the value, at most 512 bytes
---@param options? { scope?: string } where, and how
---@return any # the value
function State.get(key, options) end

---Stores a value under a key. With `version` only if the key is at that version (0: does not exist yet); otherwise fails with code `state.version_conflict`.
---@param key string the name of the value, at most 512 bytes
---@param value any text, a number, true or false, or a table of such values
---@param options? { scope?: string, version?: integer } where, and how
function State.set(key, value, options) end

---Removes a key.
---@param key string the name of the value, at most 512 bytes
---@param options? { scope?: string } where, and how
---@return boolean # whether there was one
function State.delete(key, options) end

---Whether a key exists.
---@param key string the name of the value, at most 512 bytes
---@param options? { scope?: string } where, and how
---@return boolean # true when it does
function State.has(key, options) end

---The keys of a scope, sorted.
---@param options? { scope?: string, prefix?: string, limit?: integer } where, and how
---@return any[] # the keys
function State.list(options) end

---Keys with their values.
---@param options? { scope?: string, prefix?: string, limit?: integer } where, and how
---@return table # a table from key to value
function State.values(options) end

---A value with its version, for `State.set` with `version`: several writers then never lose an update.
---@param key string the name of the value, at most 512 bytes
---@param options? { scope?: string } where, and how
---@return { value: any, version: integer, updated: number }|nil # nothing when there is none, otherwise
function State.entry(key, options) end

---Removes all keys of a scope, or those with a prefix, at once.
---@param options? { scope?: string, prefix?: string } where, and how
---@return integer # how many there were
function State.clear(options) end

---The scopes that hold something.
---@return any[] # their names; a session is "session:" and its id
function State.scopes() end

---The session of the client that runs this code, and notes about it that are kept: a title, tags, what it is for.
---@class Sessionlib
Session = {}

---The id of the session: the same for all code that one client sends.
---@return string # the id
function Session.id() end

---A note of this session, or all of them.
---@param key? string its name; without it all notes are given
---@return any # the value, or a table of all
function Session.get(key) end

---Keeps a note of this session. Without a value the note is removed.
---@param key string its name
---@param value? any anything JSON can hold
function Session.set(key, value) end

---The kernel that runs this code.
---@class Kernellib
Kernel = {}

---What the kernel is and how it does.
---@return { id: string, pid: integer, version: string, language: string, languages: any[], cwd: string, started: string, uptime: number, memory: integer, clients: integer, counters: table } # facts of this moment
function Kernel.info() end
