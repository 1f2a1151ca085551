-- Helpers of the Lua engine. They run beside the script's own code and must not be changed by it: everything they use is local,
-- and tables are read raw, so that looking at a value never runs its metamethods (only `show` honours __tostring and __name).
local host = ...

local type, next, rawget, rawlen, rawequal, tostring, pcall, select, error, setmetatable, ipairs =
  type, next, rawget, rawlen, rawequal, tostring, pcall, select, error, setmetatable, ipairs
local format, rep, sub, find, match, gsub = string.format, string.rep, string.sub, string.find, string.match, string.gsub
local concat, sort, pack, unpack = table.concat, table.sort, table.pack, table.unpack
local mtype, huge = math.type, math.huge
local getmetatable, getinfo, getlocal = debug.getmetatable, debug.getinfo, debug.getlocal
local costatus = coroutine.status
local utf8len = utf8.len
local G = _G

local M = {}
local OWN = getinfo(1, "S").source

---------------------------------------------------------------------------------------------------- values as text

local SHOW_DEPTH, SHOW_ITEMS, SHOW_LENGTH, LINE_WIDTH = 8, 200, 50000, 76

local KEYWORDS = {}
for word in ([[and break do else elseif end false for function goto if in local nil not or repeat return then true until while]]):gmatch("%a+") do
  KEYWORDS[word] = true
end

local ESCAPES = { ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ["\0"] = "\\0", ['"'] = '\\"', ["\\"] = "\\\\" }

local function quote(s, limit)
  local cut = ""
  if #s > limit then
    local at = limit
    while at > 0 and (s:byte(at + 1) or 0) & 0xC0 == 0x80 do at = at - 1 end
    cut = format("… (%d bytes)", #s)
    s = sub(s, 1, at)
  end
  s = gsub(s, '[%c"\\]', function(c) return ESCAPES[c] or format("\\%03d", c:byte()) end)
  if not utf8len(s) then s = gsub(s, "[\x80-\xff]", function(c) return format("\\x%02X", c:byte()) end) end
  return '"' .. s .. '"' .. cut
end

local function number_text(n)
  if n ~= n then return "nan" end
  if n == huge then return "inf" end
  if n == -huge then return "-inf" end
  return tostring(n)
end

local function key_text(k)
  if type(k) == "string" then
    if match(k, "^[%a_][%w_]*$") and not KEYWORDS[k] then return k end
    return "[" .. quote(k, 80) .. "]"
  end
  if type(k) == "number" then return "[" .. number_text(k) .. "]" end
  return "[" .. (type(k) == "boolean" and tostring(k) or type(k)) .. "]"
end

local ORDER = { number = 1, string = 2, boolean = 3 }
local function before(a, b)
  local ta, tb = type(a), type(b)
  if ta ~= tb then return (ORDER[ta] or 9) < (ORDER[tb] or 9) end
  if ta == "number" or ta == "string" then return a < b end
  return false
end

local function function_text(f)
  local info = getinfo(f, "Su")
  if info.what == "C" or info.source == OWN then return "function: built-in" end
  local names = {}
  for i = 1, info.nparams do names[i] = getlocal(f, i) or "?" end
  if info.isvararg then names[#names + 1] = "..." end
  return format("function(%s) --[[ %s:%d ]]", concat(names, ", "), info.short_src, info.linedefined)
end

local function own_text(v, raw)
  local mt = getmetatable(v)
  if type(mt) ~= "table" then return nil end
  if not raw and rawget(mt, "__tostring") ~= nil then return tostring(v) end
  local name = rawget(mt, "__name")
  return type(name) == "string" and name or nil
end

-- One value in short form; `raw` runs no code of the script.
local function brief(v, raw)
  local t = type(v)
  if t == "string" then return quote(v, 200) end
  if t == "number" then return number_text(v) end
  if t == "function" then return function_text(v) end
  if t == "thread" then return format("thread: %s", costatus(v)) end
  if t == "table" or t == "userdata" then
    local text = own_text(v, raw)
    if text then return text end
    if t == "userdata" then return "userdata" end
    local n = rawlen(v)
    if next(v) == nil then return "{}" end
    return n > 0 and format("{…} (%d items)", n) or "{…}"
  end
  return tostring(v)
end

local function show(v, depth, seen, budget, indent)
  if type(v) ~= "table" then return brief(v) end
  local mt = getmetatable(v)
  local name
  if type(mt) == "table" then
    if rawget(mt, "__tostring") ~= nil then return tostring(v) end
    name = rawget(mt, "__name")
  end
  if seen[v] then return "<cycle>" end
  if next(v) == nil then return (type(name) == "string" and name .. " " or "") .. "{}" end
  if depth >= SHOW_DEPTH or budget.left <= 0 then return "{…}" end
  seen[v] = true
  local parts, count, n = {}, 0, rawlen(v)
  local inner = indent + 2
  local function add(text)
    count = count + 1
    parts[count] = text
    budget.left = budget.left - #text - 2
  end
  local listed = 0
  for i = 1, n do
    if count >= SHOW_ITEMS or budget.left <= 0 then break end
    add(show(rawget(v, i), depth + 1, seen, budget, inner))
    listed = i
  end
  local keys, extra = {}, 0
  for k in next, v do
    if not (mtype(k) == "integer" and k >= 1 and k <= n) then
      if #keys < SHOW_ITEMS then keys[#keys + 1] = k else extra = extra + 1 end
    end
  end
  sort(keys, before)
  local shown = 0
  for _, k in ipairs(keys) do
    if count >= SHOW_ITEMS or budget.left <= 0 then break end
    shown = shown + 1
    add(key_text(k) .. " = " .. show(rawget(v, k), depth + 1, seen, budget, inner))
  end
  local more = (n - listed) + (#keys - shown) + extra
  if more > 0 then add(format("… %d more", more)) end
  seen[v] = nil
  local prefix = type(name) == "string" and name .. " " or ""
  local line = concat(parts, ", ")
  if #line + indent <= LINE_WIDTH and not find(line, "\n", 1, true) then return prefix .. "{" .. line .. "}" end
  local pad = rep(" ", inner)
  return prefix .. "{\n" .. pad .. concat(parts, ",\n" .. pad) .. "\n" .. rep(" ", indent) .. "}"
end

-- A value as a cell shows it: strings and numbers as print does, tables with their contents.
function M.show(v)
  if type(v) == "string" then return v end
  return show(v, 0, {}, { left = SHOW_LENGTH }, 0)
end

function M.show_all(...)
  local parts = {}
  local values = { ... }
  for i = 1, select("#", ...) do parts[i] = M.show(values[i]) end
  return concat(parts, "\t")
end

---------------------------------------------------------------------------------------------------- looking around

local builtin = {}

-- After the engine has added its globals: what exists now is not the user's.
function M.seal()
  builtin = {}
  for name, value in next, G do builtin[name] = { value } end
end

function M.is_builtin(name, value)
  local known = builtin[name]
  return type(known) == "table" and rawequal(known[1], value)
end

-- Globals that the user made or replaced.
function M.variables()
  local out = {}
  for name, value in next, G do
    if type(name) == "string" then
      if not M.is_builtin(name, value) then
        out[#out + 1] = { name = name, type = mtype(value) or type(value), preview = brief(value, true) }
      end
    end
  end
  sort(out, function(a, b) return a.name < b.name end)
  return out
end

---------------------------------------------------------------------------------------------------- errors of the host

-- What a failed host call raises: a table with `code`, `message`, `data` and `hint` that reads like any other message.
local Failure = { __name = "error" }
function Failure:__tostring()
  return (rawget(self, "where") or "") .. tostring(rawget(self, "message"))
end
function Failure.__concat(a, b) return tostring(a) .. tostring(b) end

local function finish(ok, ...)
  if ok then return ... end
  local failure = ...
  for level = 2, 5 do
    local caller = getinfo(level, "Sl")
    if not caller then break end
    if caller.source ~= OWN then
      if caller.currentline > 0 then failure.where = format("%s:%d: ", caller.short_src, caller.currentline) end
      break
    end
  end
  error(setmetatable(failure, Failure), 0)
end

local function calling(raw, ...)
  local first = ...
  if first == nil then return function(...) return finish(raw(...)) end end
  return function(...) return finish(raw(first, ...)) end
end

---------------------------------------------------------------------------------------------------- globals

-- Functions of the kernel: every call waits for the answer.
function M.bind(module, names)
  local functions = {}
  for _, name in ipairs(names) do functions[name] = calling(host.call, module .. "." .. name) end
  G[module] = functions
end

local function is_bundle(value)
  if type(value) ~= "table" or getmetatable(value) ~= nil or next(value) == nil then return false end
  for key in next, value do
    if type(key) ~= "string" or not find(key, "^[%w.+-]+/[%w.+-]+$") then return false end
  end
  return true
end

-- The MIME bundle of any value: its own, that of its metamethod __mimebundle, or its text.
local function bundle(value)
  if is_bundle(value) then return value end
  local mt = getmetatable(value)
  local own = type(mt) == "table" and rawget(mt, "__mimebundle")
  if own then
    local made = own(value)
    if is_bundle(made) then return made end
  end
  return { ["text/plain"] = M.show(value) }
end
M.bundle = bundle

-- Globals take `...`: their parameters are in the catalogue.
local show_bundle, update_bundle = calling(host.display), calling(host.update)
function G.display(...)
  if select("#", ...) == 0 then return show_bundle() end
  local value, options = ...
  return show_bundle(bundle(value), options)
end

G.Display = { clear = calling(host.clear) }
for _, kind in ipairs(host.kinds) do G.Display[kind] = calling(host.show, kind) end
function G.Display.update(...)
  local id, value = ...
  return update_bundle(id, bundle(value))
end

G.input = calling(host.input)
G.sleep = calling(host.sleep)
G.Args = {}
G.JSON = { null = host.null, parse = calling(host.parse), stringify = calling(host.stringify) }
G.Log = {}
for _, level in ipairs({ "debug", "info", "warn", "error" }) do G.Log[level] = calling(host.log, level) end

do
  local null = getmetatable(host.null)
  null.__name = "null"
  null.__tostring = function() return "null" end
end

---------------------------------------------------------------------------------------------------- comms

local comms, targets = {}, {}
local comm_open, comm_send, comm_close, comm_known = calling(host.comm_open), calling(host.comm_send), calling(host.comm_close), host.comm_known

local function tell()
  local ids, names = {}, {}
  for id in next, comms do ids[#ids + 1] = id end
  for name in next, targets do names[#names + 1] = name end
  comm_known(ids, names)
end

local Comm = { __name = "Comm" }
Comm.__index = Comm
function Comm:__tostring() return format("Comm: %s (%s)", self.target, comms[self.id] and "open" or "closed") end

local function must_be_open(comm)
  if not comms[comm.id] then error(format("the comm to '%s' is closed", comm.target), 3) end
end

function Comm:send(data, metadata, buffers)
  must_be_open(self)
  return comm_send(self.id, data, metadata, buffers)
end

function Comm:close(data)
  must_be_open(self)
  comms[self.id] = nil
  tell()
  return comm_close(self.id, data)
end

function Comm:on_msg(fn) self.message_handler = fn end
function Comm:on_close(fn) self.close_handler = fn end

local function new_comm(id, target)
  local comm = setmetatable({ id = id, target = target }, Comm)
  comms[id] = comm
  tell()
  return comm
end

G.Comm = {}
function G.Comm.open(...) return new_comm(comm_open(...), (...)) end

function G.Comm.register_target(...)
  local name, fn = ...
  if type(name) ~= "string" then error("Comm.register_target: argument 1 'name' must be string", 2) end
  if fn ~= nil and type(fn) ~= "function" then error("Comm.register_target: argument 2 'fn' must be a function", 2) end
  targets[name] = fn
  tell()
end

-- A message of the front end; false when nothing here waits for it.
function M.comm(kind, id, target, data, metadata, buffers)
  if kind == "open" then
    local accept = targets[target]
    if not accept then return false end
    accept(new_comm(id, target), data, metadata, buffers)
    return true
  end
  local comm = comms[id]
  if not comm then return false end
  if kind == "close" then
    comms[id] = nil
    tell()
    if comm.close_handler then comm.close_handler(data, metadata, buffers) end
  elseif comm.message_handler then
    comm.message_handler(data, metadata, buffers)
  end
  return true
end

---------------------------------------------------------------------------------------------------- running

local function present(...)
  local n = select("#", ...)
  local value = ...
  if n > 1 then return { ["text/plain"] = M.show_all(...) } end
  if value ~= nil then return bundle(value) end
end

-- Tracebacks name a function by what it was called as: script-errors.ts turns this name back into "main chunk".
function M.run(llmspell_main_chunk, want, args)
  if want then return present(llmspell_main_chunk(unpack(args))) end
  llmspell_main_chunk(unpack(args))
end

function M.add_path(directory)
  local entry = directory .. "/?.lua;" .. directory .. "/?/init.lua;"
  if sub(package.path, 1, #entry) ~= entry then package.path = entry .. package.path end
end

return M
