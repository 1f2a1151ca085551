-- Looks at a program from outside: stack, variables, completion, evaluation in a frame. Runs on a thread of the host's own.
-- What it uses is taken now, so that a program which replaces globals cannot mislead it; metamethods of the program never run,
-- except in code the user asks to evaluate. Returns a table of functions.

local getinfo, getlocal, setlocal = debug.getinfo, debug.getlocal, debug.setlocal
local getupvalue, setupvalue, getmetatable = debug.getupvalue, debug.setupvalue, debug.getmetatable
local type, next, rawget, rawlen, rawequal, select, pcall, load = type, next, rawget, rawlen, rawequal, select, pcall, load
local tostring, setmetatable, format, math_type, status = tostring, setmetatable, string.format, math.type, coroutine.status
local find, sub, gmatch, gsub = string.find, string.sub, string.gmatch, string.gsub
local sort, concat, pack, unpack = table.sort, table.concat, table.pack, table.unpack
local string_library = string
local globals, loaded = _G, package.loaded

local MAX_PREVIEW = 200
local MAX_KEYS = 10000 -- of a table whose keys are sorted for display
local MAX_LOCALS = 250
local MAX_UPVALUES = 255
local MAX_CHAIN = 100 -- of __index tables, which may form a cycle

-- The C function through which the host calls: no part of the program's stack.
local host_entry = getinfo(2, "f").func

local inspector = {}

-- ---- names of built-in functions ----

local builtin_names = {}
for name, library in next, loaded do
  if type(library) == "table" then
    for key, value in next, library do
      if type(value) == "function" and type(key) == "string" then
        builtin_names[value] = name == "_G" and key or name .. "." .. key
      end
    end
  end
end

-- ---- values as text ----

local function parameters(f)
  local info = getinfo(f, "Su")
  if info.what == "C" then return nil end
  local names = {}
  for i = 1, info.nparams do names[i] = getlocal(f, i) end
  if info.isvararg then names[#names + 1] = "..." end
  return "(" .. concat(names, ", ") .. ")"
end

local function preview(value)
  local kind = type(value)
  if kind == "string" then
    if #value <= MAX_PREVIEW then return (format("%q", value)) end
    return format("%q", sub(value, 1, MAX_PREVIEW)) .. "… (" .. #value .. " bytes)"
  elseif kind == "table" or kind == "userdata" then
    local meta = getmetatable(value)
    local name = type(meta) == "table" and rawget(meta, "__name")
    local count = kind == "table" and rawlen(value) or 0
    return (type(name) == "string" and name or kind) .. ": " .. format("%p", value) .. (count > 0 and " #" .. count or "")
  elseif kind == "function" then
    local info = getinfo(value, "S")
    if info.what == "C" then return "function: " .. (builtin_names[value] or "builtin") end
    return "function" .. parameters(value) .. ": " .. info.short_src .. ":" .. info.linedefined
  elseif kind == "thread" then
    return "thread: " .. format("%p", value) .. " (" .. status(value) .. ")"
  end
  return tostring(value)
end

local function key_name(key)
  if type(key) == "string" and find(key, "^[%a_][%w_]*$") then return key end
  return "[" .. preview(key) .. "]"
end

-- ---- variables ----
-- Structured values get a number that stays good until `clear`.

local references, reference_count = {}, 0

function inspector.clear() references, reference_count = {}, 0 end

local function variable(name, value)
  local kind = type(value)
  local reference = 0
  if kind == "table" or kind == "function" or kind == "thread" or (kind == "userdata" and getmetatable(value)) then
    reference_count = reference_count + 1
    references[reference_count] = value
    reference = reference_count
  end
  return { name = name, type = kind == "number" and math_type(value) or kind, value = preview(value), reference = reference }
end

local function compare_keys(a, b)
  local kind_a, kind_b = type(a), type(b)
  if kind_a ~= kind_b then return kind_a < kind_b end
  if kind_a == "number" or kind_a == "string" then return a < b end
  return false
end

local function named_keys(t, count)
  local keys = {}
  for key in next, t do
    if not (math_type(key) == "integer" and key >= 1 and key <= count) then
      keys[#keys + 1] = key
      if #keys >= MAX_KEYS then break end
    end
  end
  sort(keys, compare_keys)
  return keys
end

-- Elements first + 1 .. first + count of a table: its sequence, then other keys in order, then [[metatable]].
local function table_page(t, first, count)
  local length = rawlen(t)
  local out = {}
  for i = first + 1, length do
    if #out >= count then return out end
    out[#out + 1] = variable("[" .. i .. "]", rawget(t, i))
  end
  local keys = named_keys(t, length)
  for i = (first > length and first - length or 0) + 1, #keys do
    if #out >= count then return out end
    out[#out + 1] = variable(key_name(keys[i]), rawget(t, keys[i]))
  end
  local meta = getmetatable(t)
  if meta and #out < count then out[#out + 1] = variable("[[metatable]]", meta) end
  return out
end

local function upvalues_of(f)
  local out = {}
  for i = 1, MAX_UPVALUES do
    local name, value = getupvalue(f, i)
    if not name then break end
    out[i] = variable(name == "" and "(upvalue " .. i .. ")" or name, value)
  end
  return out
end

function inspector.expand(reference, first, count)
  local value = references[reference]
  first, count = first or 0, count or 1000
  if type(value) == "table" then return table_page(value, first, count) end
  local out = type(value) == "function" and upvalues_of(value) or {}
  local meta = getmetatable(value)
  if meta and type(value) == "userdata" then out[#out + 1] = variable("[[metatable]]", meta) end
  return out
end

function inspector.globals(first, count) return table_page(globals, first or 0, count or 1000) end

-- ---- frames ----

function inspector.stack(thread, first, count)
  local out = {}
  first = first or 0
  for level = first, first + (count or 1000) - 1 do
    local info = getinfo(thread, level, "Slntf")
    if not info then break end
    if info.func ~= host_entry then
      out[#out + 1] = {
        level = level,
        name = info.name or (info.what == "main" and "main chunk" or "?"),
        kind = info.namewhat,
        what = info.what,
        source = info.source,
        line = info.currentline,
        first_line = info.linedefined,
        tail_call = info.istailcall,
      }
    end
  end
  return out
end

-- Locals in scope, a shadowed one marked as such, and the extra arguments.
function inspector.locals(thread, level)
  local out, last = {}, {}
  for i = 1, MAX_LOCALS do
    local name, value = getlocal(thread, level, i)
    if not name then break end
    if sub(name, 1, 1) ~= "(" then
      if last[name] then out[last[name]].name = name .. " (shadowed)" end
      out[#out + 1] = variable(name, value)
      last[name] = #out
    end
  end
  for i = 1, MAX_LOCALS do
    local name, value = getlocal(thread, level, -i)
    if not name then break end
    out[#out + 1] = variable("(vararg " .. i .. ")", value)
  end
  return out
end

function inspector.upvalues(thread, level)
  local info = getinfo(thread, level, "f")
  return info and upvalues_of(info.func) or {}
end

-- Where the names of a frame live: local and upvalue indices, and the table of its globals.
local function scope_of(thread, level)
  local f = getinfo(thread, level, "f").func
  local locals, upvalues = {}, {}
  for i = 1, MAX_LOCALS do
    local name = getlocal(thread, level, i)
    if not name then break end
    if sub(name, 1, 1) ~= "(" then locals[name] = i end
  end
  for i = 1, MAX_UPVALUES do
    local name = getupvalue(f, i)
    if not name then break end
    if name ~= "" and not upvalues[name] then upvalues[name] = i end
  end
  local environment = globals
  if locals._ENV then
    environment = select(2, getlocal(thread, level, locals._ENV))
  elseif upvalues._ENV then
    environment = select(2, getupvalue(f, upvalues._ENV))
  end
  return { f = f, locals = locals, upvalues = upvalues, environment = environment }
end

-- An _ENV that reads and writes the frame. Dead after use: a closure made in it must not touch a frame that is gone.
local function frame_environment(thread, level)
  local scope = scope_of(thread, level)
  local f, locals, upvalues, environment = scope.f, scope.locals, scope.upvalues, scope.environment
  local alive = true
  local proxy = setmetatable({}, {
    __index = function(_, name)
      if alive then
        if locals[name] then return (select(2, getlocal(thread, level, locals[name]))) end
        if upvalues[name] then return (select(2, getupvalue(f, upvalues[name]))) end
      end
      local value = environment[name]
      if value == nil and not rawequal(environment, globals) then value = rawget(globals, name) end
      return value
    end,
    __newindex = function(_, name, value)
      if alive then
        if locals[name] then setlocal(thread, level, locals[name], value) return end
        if upvalues[name] then setupvalue(f, upvalues[name], value) return end
      end
      environment[name] = value
    end,
  })
  return proxy, function() alive = false end
end

local function varargs_of(thread, level)
  local values, count = {}, 0
  for i = 1, MAX_LOCALS do
    local name, value = getlocal(thread, level, -i)
    if not name then break end
    values[i], count = value, i
  end
  return values, count
end

local function compile(source, environment)
  local chunk, message = load("return " .. source, "=(evaluate)", "t", environment)
  if chunk then return chunk end
  return load(source, "=(evaluate)", "t", environment)
end

local function outcome(results)
  if not results[1] then return { ok = false, error = type(results[2]) == "string" and results[2] or preview(results[2]) } end
  local texts = {}
  for i = 2, results.n do texts[i - 1] = preview(results[i]) end
  return { ok = true, value = concat(texts, ", "), variable = variable("result", results[2]) }
end

-- Evaluates an expression or statements in a frame, or among the globals when no thread is given.
function inspector.evaluate(thread, level, source)
  if not thread then
    local chunk, message = compile(source, globals)
    if not chunk then return { ok = false, error = message } end
    return outcome(pack(pcall(chunk)))
  end
  local environment, finish = frame_environment(thread, level)
  local chunk, message = compile(source, environment)
  if not chunk then return { ok = false, error = message } end
  local values, count = varargs_of(thread, level)
  local results = pack(pcall(chunk, unpack(values, 1, count)))
  finish()
  return outcome(results)
end

-- Sets a variable of a frame to the value of an expression.
function inspector.assign(thread, level, name, source)
  if not find(name, "^[%a_][%w_]*$") then return { ok = false, error = "not a variable: " .. name } end
  local set = inspector.evaluate(thread, level, name .. " = (" .. source .. ")")
  return set.ok and inspector.evaluate(thread, level, name) or set
end

-- Compiled once for a place: the locals it names become parameters, read by index.
local conditions = {}

local function compile_condition(thread, level, source)
  local scope = scope_of(thread, level)
  local names, readers, seen = {}, {}, {}
  for word in gmatch(source, "[%a_][%w_]*") do
    local local_index, upvalue_index = scope.locals[word], scope.upvalues[word]
    if not seen[word] and word ~= "_ENV" and (local_index or upvalue_index) then
      seen[word] = true
      names[#names + 1] = word
      readers[#readers + 1] = local_index or -upvalue_index
    end
  end
  local header = #names > 0 and "local " .. concat(names, ",") .. " = ... " or ""
  local chunk, message = load(header .. "return " .. source, "=(condition)", "t", scope.environment)
  return { chunk = chunk, message = message, readers = readers }
end

-- Is the condition of breakpoint `id` true? → boolean, or nil and a message when it does not compile or fails.
function inspector.condition(thread, level, id, source)
  local condition = conditions[id]
  if not condition then
    condition = compile_condition(thread, level, source)
    conditions[id] = condition
  end
  if not condition.chunk then return nil, condition.message end
  local readers, values, f = condition.readers, {}, nil
  for i = 1, #readers do
    local index = readers[i]
    if index > 0 then
      values[i] = select(2, getlocal(thread, level, index))
    else
      f = f or getinfo(thread, level, "f").func
      values[i] = select(2, getupvalue(f, -index))
    end
  end
  local ok, result = pcall(condition.chunk, unpack(values, 1, #readers))
  if not ok then return nil, tostring(result) end
  return not not result
end

function inspector.forget_condition(id) conditions[id] = nil end

-- The text of a log point: {expression} is replaced by its value.
function inspector.log_text(thread, level, message)
  return (gsub(message, "{(.-)}", function(source)
    local result = inspector.evaluate(thread, level, source)
    return result.ok and result.value or "<" .. result.error .. ">"
  end))
end

-- Will an error raised now be caught by the program? `threads`: the running one and those that resumed it.
function inspector.is_caught(threads)
  for i, thread in next, threads do
    for level = 0, 10000 do
      local info = getinfo(thread, level, "f")
      if not info then break end
      local f = info.func
      if f == pcall or builtin_names[f] == "xpcall" or (builtin_names[f] == "coroutine.resume" and i > 1) then return true end
    end
  end
  return false
end

-- ---- completion ----

-- Field of a value without running code of the program: raw, then through tables in __index.
local function field(value, name)
  for _ = 1, MAX_CHAIN do
    if type(value) == "string" then value = string_library end
    if type(value) == "table" then
      local found = rawget(value, name)
      if found ~= nil then return found end
    end
    local meta = getmetatable(value)
    value = type(meta) == "table" and rawget(meta, "__index") or nil
    if value == nil then return nil end
  end
end

local function start_of(path, thread, level)
  local name = path[1]
  if thread then
    local scope = scope_of(thread, level)
    if scope.locals[name] then return true, (select(2, getlocal(thread, level, scope.locals[name]))) end
    if scope.upvalues[name] then return true, (select(2, getupvalue(scope.f, scope.upvalues[name]))) end
  end
  return false, globals
end

local function resolve(path, thread, level)
  local value, first = globals, 1
  if path[1] then
    local is_variable, found = start_of(path, thread, level)
    if is_variable then value, first = found, 2 end
  end
  for i = first, #path do
    value = field(value, path[i])
    if value == nil then return nil end
  end
  return value
end

local function kind_of(value)
  local kind = type(value)
  if kind == "function" then return "function" end
  if kind == "table" then
    for _, library in next, loaded do
      if rawequal(library, value) then return "module" end
    end
  end
  return kind
end

local function item(name, value)
  local is_function = type(value) == "function"
  return {
    name = name,
    kind = kind_of(value),
    builtin = is_function and builtin_names[value] or nil,
    parameters = is_function and parameters(value) or nil,
  }
end

-- Names after a path that begin with a prefix. `text` completes as a string value.
function inspector.members(path, prefix, only_functions, is_string, thread, level)
  local out, seen = {}, {}
  local function add(name, value)
    if type(name) ~= "string" or seen[name] or sub(name, 1, #prefix) ~= prefix then return end
    if not find(name, "^[%a_][%w_]*$") or (only_functions and type(value) ~= "function") then return end
    seen[name] = true
    out[#out + 1] = item(name, value)
  end
  if not path[1] and not is_string and thread then
    local scope = scope_of(thread, level)
    for name, index in next, scope.locals do add(name, (select(2, getlocal(thread, level, index)))) end
    for name, index in next, scope.upvalues do add(name, (select(2, getupvalue(scope.f, index)))) end
  end
  local value = is_string and "" or resolve(path, thread, level)
  for _ = 1, MAX_CHAIN do
    if value == nil then break end
    if type(value) == "string" then value = string_library end
    if type(value) == "table" then
      for key, member in next, value do add(key, member) end
    end
    local meta = getmetatable(value)
    value = type(meta) == "table" and rawget(meta, "__index") or nil
  end
  sort(out, function(a, b) return a.name < b.name end)
  return out
end

-- What a name stands for: nil when it stands for nothing.
function inspector.describe(path, is_string, thread, level)
  local value
  if is_string then value = field("", path[1]) else value = resolve(path, thread, level) end
  if value == nil then return nil end
  local out = { type = type(value) == "number" and math_type(value) or type(value), value = preview(value) }
  if type(value) == "function" then
    local info = getinfo(value, "S")
    out.builtin = builtin_names[value]
    out.parameters = parameters(value)
    if info.what ~= "C" then
      out.source, out.first_line, out.last_line = info.source, info.linedefined, info.lastlinedefined
    end
  elseif type(value) == "table" then
    local count = 0
    for _ in next, value do
      count = count + 1
      if count >= MAX_KEYS then break end
    end
    out.fields = count
  end
  return out
end

-- ---- variables of the user ----

local known = {}

-- What is there now is not the user's.
function inspector.mark_known()
  known = {}
  for name in next, globals do known[name] = true end
end

function inspector.user_variables()
  local out = {}
  for name, value in next, globals do
    if not known[name] and type(name) == "string" then
      out[#out + 1] = { name = name, type = type(value) == "number" and math_type(value) or type(value), value = preview(value) }
    end
  end
  sort(out, function(a, b) return a.name < b.name end)
  return out
end

inspector.mark_known()
return inspector
