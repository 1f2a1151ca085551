-- Looks at a program from outside: completion and inspection. Runs on a thread of the host's own.
-- What it uses is taken now, so that a program which replaces globals cannot mislead it; metamethods of the program never run.
-- Returns a table of functions.

local getinfo, getlocal, getupvalue, getmetatable = debug.getinfo, debug.getlocal, debug.getupvalue, debug.getmetatable
local type, next, rawget, rawlen, rawequal, select = type, next, rawget, rawlen, rawequal, select
local tostring, format, math_type, status = tostring, string.format, math.type, coroutine.status
local find, sub, gmatch, sort, concat = string.find, string.sub, string.gmatch, table.sort, table.concat
local string_library = string
local globals, loaded = _G, package.loaded

local MAX_PREVIEW = 200
local MAX_KEYS = 10000 -- of a table whose entries are counted
local MAX_LOCALS = 250
local MAX_UPVALUES = 255
local MAX_CHAIN = 100 -- of __index tables, which may form a cycle

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

-- ---- frames ----

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

-- ---- debugging ----

local keywords = {}
for word in gmatch("and break do else elseif end false for function goto if in local nil not or repeat return then true until while", "%a+") do
  keywords[word] = true
end

-- Runs a chunk of the host's that has more to ask (probe.lua), with what it shares with this one.
function inspector.extend(chunk, ...)
  local shared = {
    parameters = parameters,
    scope_of = scope_of,
    keywords = keywords,
    string_library = string_library,
    gmatch = gmatch,
  }
  return chunk(shared, ...)
end

inspector.mark_known()
return inspector
