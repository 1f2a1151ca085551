-- What a debugger asks about a program that stands still: stack, variables, evaluation in a frame. Runs beside it, on a thread of the
-- host's own; metamethods of the program run only in code that the user asks to evaluate. Returns a table of functions.
local shared, probe, is_builtin = ...

local getinfo, getlocal, setlocal = debug.getinfo, debug.getlocal, debug.setlocal
local getupvalue, setupvalue, getmetatable = debug.getupvalue, debug.setupvalue, debug.getmetatable
local getuservalue = debug.getuservalue
local type, next, rawget, rawset, rawlen, rawequal, select = type, next, rawget, rawset, rawlen, rawequal, select
local tostring, tonumber, setmetatable, pcall, error, load = tostring, tonumber, setmetatable, pcall, error, load
local format, find, sub, gsub, byte, match = string.format, string.find, string.sub, string.gsub, string.byte, string.match
local sort, concat, pack, unpack, math_type = table.sort, table.concat, table.pack, table.unpack, math.type
local status, utf8_len = coroutine.status, utf8.len
local globals = _G
local parameters, scope_of, keywords = shared.parameters, shared.scope_of, shared.keywords
local raw_pcall, raw_xpcall, resume = pcall, xpcall, coroutine.resume

local MAX_PREVIEW = 200
local MAX_ITEMS = 5 -- of a table in its preview
local MAX_SORTED = 10000 -- keys of a table that are shown in order; more are shown as they are stored
local MAX_PAGE = 10000
local MAX_LOCALS, MAX_UPVALUES = 250, 255
local MAX_TEXT = 1000000
local KEY_ORDER = { number = 1, string = 2, boolean = 3 }

local M = {}

-- ---- values as text: one line, bounded ----

local ESCAPES = { ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ["\0"] = "\\0", ['"'] = '\\"', ["\\"] = "\\\\" }

-- Bytes that are no UTF-8 as escapes, and what is left as it is.
local function readable(text)
  local length, bad = utf8_len(text)
  if length then return text end
  local parts, from = {}, 1
  while bad do
    parts[#parts + 1] = sub(text, from, bad - 1)
    parts[#parts + 1] = format("\\x%02X", byte(text, bad))
    from = bad + 1
    length, bad = utf8_len(text, from)
  end
  parts[#parts + 1] = sub(text, from)
  return concat(parts)
end

local function quote(text, limit)
  local rest = ""
  if #text > limit then
    local at = limit
    while at > limit - 4 and (byte(text, at + 1) or 0) & 0xC0 == 0x80 do at = at - 1 end
    rest = "… (" .. #text .. " bytes)"
    text = sub(text, 1, at)
  end
  text = gsub(text, '[%c"\\]', function(c) return ESCAPES[c] or format("\\%03d", byte(c)) end)
  return '"' .. readable(text) .. '"' .. rest
end

local function is_name(text) return type(text) == "string" and #text <= 100 and find(text, "^[%a_][%w_]*$") and not keywords[text] end

local brief

local function key_name(key)
  if is_name(key) then return key end
  return "[" .. brief(key) .. "]"
end

local function own_name(value)
  local meta = getmetatable(value)
  local name = type(meta) == "table" and rawget(meta, "__name")
  return type(name) == "string" and sub(name, 1, 60) or nil
end

local function function_text(f)
  local info = getinfo(f, "S")
  if info.what == "C" then return "function: built-in" end
  if probe.origin(f) < 0 then return "function: of the engine" end
  return "function" .. parameters(f) .. ": " .. info.short_src .. ":" .. info.linedefined
end

-- Without what is inside.
function brief(value)
  local kind = type(value)
  if kind == "string" then return quote(value, 40) end
  if kind == "table" then return (own_name(value) or "") .. (next(value) == nil and "{}" or "{…}") end
  if kind == "function" then return function_text(value) end
  if kind == "thread" then return "thread (" .. status(value) .. ")" end
  if kind == "userdata" then return own_name(value) or "userdata" end
  return tostring(value)
end

local function table_text(t, length, others)
  local name = own_name(t)
  local parts, size = {}, 0
  local function add(text)
    parts[#parts + 1] = text
    size = size + #text
  end
  for i = 1, length do
    if i > MAX_ITEMS or size > MAX_PREVIEW // 2 then break end
    add(brief(rawget(t, i)))
  end
  local shown = #parts
  if others > 0 and shown < MAX_ITEMS then
    local keys = probe.keys(t, 0, MAX_ITEMS)
    for i = 1, #keys do
      if size > MAX_PREVIEW // 2 then break end
      add(key_name(keys[i]) .. " = " .. brief(rawget(t, keys[i])))
    end
  end
  if #parts < length + others then parts[#parts + 1] = "… " .. (length + others) .. " entries" end
  return (name and name .. " " or "") .. "{" .. concat(parts, ", ") .. "}"
end

local function preview(value)
  if type(value) == "string" then return quote(value, MAX_PREVIEW) end
  if type(value) == "table" then return table_text(value, probe.shape(value)) end
  return brief(value)
end

local function has_text(t)
  local meta = getmetatable(t)
  return type(meta) == "table" and rawget(meta, "__tostring") ~= nil
end

-- As print shows it, and never longer than what a debugger can show; of a table what is in it, unless it has a text of its own.
local function plain_text(value)
  if type(value) == "table" and not has_text(value) then return preview(value) end
  local ok, text = pcall(tostring, value)
  if not ok then return preview(value) end
  return #text > MAX_TEXT and readable(sub(text, 1, MAX_TEXT)) .. "… (" .. #text .. " bytes)" or readable(text)
end

-- ---- variables ----
-- What has something inside gets a number that is good until `clear`.

local references, reference_count = {}, 0

function M.clear() references, reference_count = {}, 0 end

local function refer(value)
  reference_count = reference_count + 1
  references[reference_count] = value
  return reference_count
end

local function variable(name, value)
  local kind = type(value)
  local out = { name = name, type = kind == "number" and math_type(value) or kind, reference = 0 }
  if kind == "table" then
    local length, others = probe.shape(value)
    out.value = table_text(value, length, others)
    out.indexed, out.named = length, others + (getmetatable(value) and 1 or 0)
    if out.indexed + out.named > 0 then out.reference = refer(value) end
    return out
  end
  out.value = preview(value)
  if kind == "string" then
    if #value > 0 then out.bytes, out.memory = #value, refer(value) end
  elseif kind == "function" then
    local count = getinfo(value, "u").nups
    if count > 0 and probe.origin(value) >= 0 then out.named, out.reference = count, refer(value) end
  elseif kind == "userdata" and getmetatable(value) then
    out.named, out.reference = 1, refer(value)
  end
  return out
end

local function compare_keys(a, b)
  local kind_a, kind_b = type(a), type(b)
  if kind_a ~= kind_b then return (KEY_ORDER[kind_a] or 9) < (KEY_ORDER[kind_b] or 9) end
  if kind_a == "number" or kind_a == "string" then return a < b end
  return false
end

-- Entries of a table outside its sequence: in order when they are few.
local function other_keys(t, others, first, count)
  if others > MAX_SORTED then return probe.keys(t, first, count) end
  local keys = probe.keys(t, 0, others)
  sort(keys, compare_keys)
  local page = {}
  for i = first + 1, first + count do page[#page + 1] = keys[i] end
  return page
end

local function each_named(out, t, others, first, count)
  local keys = other_keys(t, others, first, count)
  for i = 1, #keys do out[#out + 1] = variable(key_name(keys[i]), rawget(t, keys[i])) end
  local meta = getmetatable(t)
  if meta and first + #keys >= others and #keys < count then out[#out + 1] = variable("[[metatable]]", meta) end
end

local function table_page(t, filter, first, count)
  local length, others = probe.shape(t)
  local out = {}
  if filter ~= "named" then
    for i = first + 1, first + count do
      if i > length then break end
      out[#out + 1] = variable("[" .. i .. "]", rawget(t, i))
    end
    if filter == "indexed" then return out end
    first, count = first > length and first - length or 0, count - #out
  end
  if count > 0 then each_named(out, t, others, first, count) end
  return out
end

local function upvalues_of(f)
  local out = {}
  for i = 1, MAX_UPVALUES do
    local name, value = getupvalue(f, i)
    if not name then break end
    if not (name == "_ENV" and rawequal(value, globals)) then
      out[#out + 1] = variable(name == "" and "(upvalue " .. i .. ")" or name, value)
    end
  end
  return out
end

local function page_of(list, first, count)
  local out = {}
  for i = first + 1, first + count do out[#out + 1] = list[i] end
  return out
end

local function bounded(first, count)
  first = first or 0
  if not count or count <= 0 or count > MAX_PAGE then count = MAX_PAGE end
  return first, count
end

-- What is inside a value: entries first + 1 .. first + count, `filter` is "indexed", "named" or nil.
function M.expand(reference, filter, first, count)
  first, count = bounded(first, count)
  local value = references[reference]
  if value == nil then return nil end
  if type(value) == "table" then return table_page(value, filter, first, count) end
  if filter == "indexed" then return {} end
  local out = type(value) == "function" and upvalues_of(value) or {}
  local meta = getmetatable(value)
  if meta and type(value) == "userdata" then out[#out + 1] = variable("[[metatable]]", meta) end
  return page_of(out, first, count)
end

-- Bytes offset + 1 .. offset + count of a string, and its length.
function M.bytes(reference, offset, count)
  local value = references[reference]
  if type(value) ~= "string" then return nil end
  return sub(value, offset + 1, offset + count), #value
end

-- What scripts made or replaced; `filter` false: what was there.
local function global_names(environment, users)
  local names = {}
  for name, value in next, environment do
    if (not is_builtin(name, value)) == users then names[#names + 1] = name end
  end
  sort(names, compare_keys)
  return names
end

local function named_page(t, names, first, count)
  local out = {}
  for i = first + 1, first + count do
    if not names[i] then break end
    out[#out + 1] = variable(key_name(names[i]), rawget(t, names[i]))
  end
  return out
end

local function environment_of(thread, level)
  local environment = thread and scope_of(thread, level).environment or globals
  return type(environment) == "table" and environment or globals
end

function M.globals(thread, level, users, first, count)
  first, count = bounded(first, count)
  local environment = environment_of(thread, level)
  return named_page(environment, global_names(environment, users), first, count)
end

function M.global_count(thread, level) return #global_names(environment_of(thread, level), true) end

-- ---- frames ----

function M.stack(thread, first, count) return probe.stack(thread, first, count) end

function M.depth(thread) return (select(2, probe.stack(thread, 0, 0))) end

-- Locals by name, the inner first: those that an inner one of the same name hides are told apart.
local function each_local(thread, level, visit)
  local found = {}
  for i = 1, MAX_LOCALS do
    local name, value = getlocal(thread, level, i)
    if not name then break end
    if sub(name, 1, 1) ~= "(" and name ~= "__cell__" then found[#found + 1] = { name = name, value = value, index = i } end
  end
  local seen = {}
  for i = #found, 1, -1 do
    local entry = found[i]
    local times = (seen[entry.name] or 0) + 1
    seen[entry.name] = times
    if times == 2 then entry.name = entry.name .. " (shadowed)" end
    if times > 2 then entry.name = entry.name .. " (shadowed " .. times - 1 .. ")" end
  end
  for i = 1, #found do visit(found[i].name, found[i].value, found[i].index) end
end

function M.locals(thread, level)
  local out = {}
  each_local(thread, level, function(name, value) out[#out + 1] = variable(name, value) end)
  return out
end

function M.varargs(thread, level, first, count)
  first, count = bounded(first, count)
  local out = {}
  for i = first + 1, first + count do
    local name, value = getlocal(thread, level, -i)
    if not name then break end
    out[#out + 1] = variable("[" .. i .. "]", value)
  end
  return out
end

function M.upvalues(thread, level)
  local info = getinfo(thread, level, "f")
  return info and upvalues_of(info.func) or {}
end

-- How many locals, varargs and upvalues there are to show.
function M.frame_shape(thread, level)
  local locals, varargs = 0, 0
  each_local(thread, level, function() locals = locals + 1 end)
  while varargs < MAX_PAGE and getlocal(thread, level, -varargs - 1) do varargs = varargs + 1 end
  return locals, varargs, #M.upvalues(thread, level)
end

-- ---- evaluation ----

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
  local statement, other_message = load(source, "=(evaluate)", "t", environment)
  if statement then return statement end
  -- What goes on after an expression was meant to be a statement.
  return nil, find(message, "<eof> expected near", 1, true) and other_message or message
end

-- Where in the evaluated text it happened says nothing.
local function without_place(text) return (gsub(readable(text), "^%((%a+)%):%d+: ", { evaluate = "", condition = "" })) end

local function error_text(value)
  if type(value) == "string" then return without_place(value) end
  local text = type(value) == "table" and rawget(value, "message")
  if type(text) == "string" then return text end
  return preview(value)
end

-- Runs code in a frame, or among the globals when no thread is given → true and its results, or false and the error's text.
local function run(thread, level, source)
  if not thread then
    local chunk, message = compile(source, globals)
    if not chunk then return pack(false, without_place(message)) end
    local results = pack(pcall(chunk))
    if not results[1] then results[2] = error_text(results[2]) end
    return results
  end
  local environment, finish = frame_environment(thread, level)
  local chunk, message = compile(source, environment)
  if not chunk then return pack(false, without_place(message)) end
  local values, count = varargs_of(thread, level)
  local results = pack(pcall(chunk, unpack(values, 1, count)))
  finish()
  if not results[1] then results[2] = error_text(results[2]) end
  return results
end

-- Several results are shown one after the other; the first can be opened.
function M.evaluate(thread, level, source, whole)
  local results = run(thread, level, source)
  if not results[1] then return nil, results[2] end
  local out = variable("result", results[2])
  if results.n == 1 then out.none = true end
  if results.n > 2 then
    local texts = {}
    for i = 2, results.n do texts[i - 1] = preview(results[i]) end
    out.value = concat(texts, ", ")
  elseif whole then
    out.value = plain_text(results[2])
  end
  return out
end

-- The text of an expression in a log message.
function M.log_part(thread, level, source)
  local results = run(thread, level, source)
  if not results[1] then return "<" .. results[2] .. ">" end
  local texts = {}
  for i = 2, results.n do texts[i - 1] = plain_text(results[i]) end
  return concat(texts, ", ")
end

-- The first value as `make` shows it.
function M.render(thread, level, source, make)
  local results = run(thread, level, source)
  if not results[1] then return nil, results[2] end
  local ok, made = pcall(make, results[2])
  if not ok then return nil, error_text(made) end
  return made
end

-- ---- evaluation that changes nothing ----

local REFUSED = "only names, fields and operators can be evaluated here: anything else might change the program"
local refusal_mark = {}

local function refuse(message) error(setmetatable({ message = message or REFUSED }, refusal_mark), 0) end

-- Raw, and through tables in __index.
local function quiet_field(value, key)
  for _ = 1, 100 do
    if type(value) == "string" then value = shared.string_library end
    if type(value) ~= "table" then
      if type(value) == "userdata" then refuse() end
      refuse("attempt to index a " .. type(value) .. " value")
    end
    local found = rawget(value, key)
    if found ~= nil then return found end
    local meta = getmetatable(value)
    local index = type(meta) == "table" and rawget(meta, "__index") or nil
    if index == nil then return nil end
    if type(index) == "function" then refuse() end
    value = index
  end
end

local OPERATORS = {
  ["or"] = 1, ["and"] = 2, ["<"] = 3, [">"] = 3, ["<="] = 3, [">="] = 3, ["=="] = 3, ["~="] = 3, ["|"] = 4, ["~"] = 5, ["&"] = 6,
  ["<<"] = 7, [">>"] = 7, [".."] = 9, ["+"] = 10, ["-"] = 10, ["*"] = 11, ["/"] = 11, ["//"] = 11, ["%"] = 11, ["^"] = 14,
}
local RIGHT = { [".."] = 8, ["^"] = 13 }
local UNARY = 12
local SYMBOLS = { "//", "..", "<=", ">=", "==", "~=", "<<", ">>" }

local function is_plain(value)
  local kind = type(value)
  return kind == "number" or kind == "string" or kind == "boolean" or kind == "nil"
end

local compiled_operators = {}
local function operator(symbol)
  compiled_operators[symbol] = compiled_operators[symbol] or load("local a, b = ... return a " .. symbol .. " b", "=(evaluate)", "t", {})
  return compiled_operators[symbol]
end

local function scanner(source)
  local at = 1
  local S = { kind = nil, text = nil }
  function S.next()
    at = find(source, "%S", at) or #source + 1
    local name = match(source, "^[%a_][%w_]*", at)
    local number = match(source, "^%d[%w.]*", at) or match(source, "^%.%d[%w.]*", at)
    local c = sub(source, at, at)
    if c == "" then S.kind, S.text = "end", ""
    elseif name then S.kind, S.text = "name", name
    elseif number then
      local exponent = find(number, "[eEpP]$") and match(source, "^[+-]%d+", at + #number)
      S.kind, S.text = "number", number .. (exponent or "")
    elseif c == '"' or c == "'" then
      local stop = at + 1
      while stop <= #source and sub(source, stop, stop) ~= c do stop = stop + (sub(source, stop, stop) == "\\" and 2 or 1) end
      S.kind, S.text = "string", sub(source, at, stop)
    else
      S.kind, S.text = "symbol", c
      for i = 1, #SYMBOLS do
        if sub(source, at, at + #SYMBOLS[i] - 1) == SYMBOLS[i] then S.text = SYMBOLS[i] break end
      end
    end
    at = at + #S.text
  end
  S.next()
  return S
end

local function quiet_value(source, name_value)
  local S = scanner(source)
  local expression

  local function expect(text)
    if S.text ~= text then refuse() end
    S.next()
  end

  local function primary()
    local kind, text = S.kind, S.text
    S.next()
    if kind == "number" then return tonumber(text) or refuse("malformed number near '" .. text .. "'") end
    if kind == "string" then
      local chunk, message = load("return " .. text, "=(evaluate)", "t", {})
      return chunk and chunk() or refuse(message)
    end
    if kind == "name" then
      if text == "nil" then return nil elseif text == "true" then return true elseif text == "false" then return false end
      if keywords[text] then refuse() end
      return name_value(text)
    end
    if text ~= "(" then refuse() end
    local value = expression(0)
    expect(")")
    return value
  end

  local function suffixed()
    local value = primary()
    while S.kind == "symbol" do
      if S.text == "." then
        S.next()
        if S.kind ~= "name" then refuse() end
        value = quiet_field(value, S.text)
        S.next()
      elseif S.text == "[" then
        S.next()
        local key = expression(0)
        expect("]")
        value = quiet_field(value, key)
      elseif S.text == "(" or S.text == ":" or S.text == "{" then
        refuse()
      else
        break
      end
    end
    if S.kind == "string" then refuse() end
    return value
  end

  local function unary()
    local text = S.text
    if S.kind == "name" and text == "not" then
      S.next()
      return not expression(UNARY)
    elseif S.kind == "symbol" and (text == "-" or text == "#" or text == "~") then
      S.next()
      local value = expression(UNARY)
      if text == "#" and type(value) == "table" then
        local meta = getmetatable(value)
        if type(meta) == "table" and rawget(meta, "__len") ~= nil then refuse() end
        return rawlen(value)
      end
      if not is_plain(value) then refuse() end
      if text == "#" then return #value elseif text == "-" then return -value else return ~value end
    end
    return suffixed()
  end

  local function binary(symbol, left, right)
    if symbol == "==" and not (is_plain(left) and is_plain(right)) then return rawequal(left, right) end
    if symbol == "~=" and not (is_plain(left) and is_plain(right)) then return not rawequal(left, right) end
    if not (is_plain(left) and is_plain(right)) then refuse() end
    return operator(symbol)(left, right)
  end

  function expression(above)
    local left = unary()
    while OPERATORS[S.text] and (S.kind == "symbol" or S.kind == "name") and OPERATORS[S.text] > above do
      local symbol = S.text
      S.next()
      local right = expression(RIGHT[symbol] or OPERATORS[symbol])
      if symbol == "and" then left = left and right
      elseif symbol == "or" then left = left or right
      else left = binary(symbol, left, right) end
    end
    return left
  end

  local value = expression(0)
  if S.kind ~= "end" then refuse() end
  return value
end

-- For what shows by itself, as under a pointer: runs nothing of the program.
function M.evaluate_quietly(thread, level, source)
  local scope = thread and scope_of(thread, level) or { locals = {}, upvalues = {}, environment = globals }
  local ok, value = pcall(quiet_value, source, function(name)
    if scope.locals[name] then return (select(2, getlocal(thread, level, scope.locals[name]))) end
    if scope.upvalues[name] then return (select(2, getupvalue(scope.f, scope.upvalues[name]))) end
    local value = quiet_field(scope.environment, name)
    if value == nil and not rawequal(scope.environment, globals) then value = rawget(globals, name) end
    return value
  end)
  if ok then return variable("result", value) end
  return nil, getmetatable(value) == refusal_mark and value.message or error_text(value)
end

-- ---- setting ----

local function new_value(thread, level, source)
  local results = run(thread, level, "(" .. source .. "\n)")
  if not results[1] then return false, results[2] end
  return true, results[2]
end

function M.set_local(thread, level, name, source)
  local ok, value = new_value(thread, level, source)
  if not ok then return nil, value end
  local index
  each_local(thread, level, function(each, _, i) if each == name then index = i end end)
  if not index then return nil, "there is no local variable " .. name end
  setlocal(thread, level, index, value)
  return variable(name, value)
end

function M.set_vararg(thread, level, name, source)
  local index = tonumber(match(name, "^%[(%d+)%]$"))
  local ok, value = new_value(thread, level, source)
  if not ok then return nil, value end
  if not index or not setlocal(thread, level, -index, value) then return nil, "there is no extra argument " .. name end
  return variable(name, value)
end

local function set_upvalue_of(f, name, value)
  for i = 1, MAX_UPVALUES do
    local each = getupvalue(f, i)
    if not each then break end
    if each == name or name == "(upvalue " .. i .. ")" then
      setupvalue(f, i, value)
      return variable(name, value)
    end
  end
  return nil, "there is no upvalue " .. name
end

function M.set_upvalue(thread, level, name, source)
  local ok, value = new_value(thread, level, source)
  if not ok then return nil, value end
  return set_upvalue_of(getinfo(thread, level, "f").func, name, value)
end

local function key_of(t, name)
  if is_name(name) then return true, name end
  local inside = match(name, "^%[(.*)%]$")
  if not inside then return true, name end
  if tonumber(inside) then return true, tonumber(inside) end
  if inside == "true" or inside == "false" then return true, inside == "true" end
  for key in next, t do
    if key_name(key) == name then return true, key end
  end
  return false
end

local function set_field(t, name, value)
  if name == "[[metatable]]" then
    if value ~= nil and type(value) ~= "table" then return nil, "a metatable must be a table or nil" end
    debug.setmetatable(t, value)
    return variable(name, value)
  end
  local found, key = key_of(t, name)
  if not found then return nil, "there is no field " .. name end
  rawset(t, key, value)
  return variable(name, value)
end

function M.set_global(thread, level, name, source)
  local ok, value = new_value(thread, level, source)
  if not ok then return nil, value end
  return set_field(environment_of(thread, level), name, value)
end

-- `thread` and `level` tell where the expression for the new value is evaluated.
function M.set_inside(reference, name, source, thread, level)
  local container = references[reference]
  local ok, value = new_value(thread, level, source)
  if not ok then return nil, value end
  if type(container) == "table" then return set_field(container, name, value) end
  if type(container) == "function" then return set_upvalue_of(container, name, value) end
  return nil, "nothing inside this value can be set"
end

function M.assign(thread, level, target, source)
  local results = run(thread, level, target .. " = (" .. source .. "\n)")
  if not results[1] then return nil, results[2] end
  return M.evaluate(thread, level, target)
end

-- ---- conditions ----
-- Compiled once for a place: the variables that it names become parameters, read by their number.

local conditions = {}

local READER = [[
local condition, getlocal, getupvalue, getinfo = ...
return function(thread, level)
  %s
  return condition(%s)
end]]

local function compile_condition(thread, level, source)
  local scope = scope_of(thread, level)
  local names, reads, seen, has_function = {}, {}, {}, false
  for word in shared.gmatch(source, "[%a_][%w_]*") do
    local local_index, upvalue_index = scope.locals[word], scope.upvalues[word]
    if not seen[word] and word ~= "_ENV" and not keywords[word] and (local_index or upvalue_index) then
      seen[word] = true
      names[#names + 1] = word
      if local_index then
        reads[#reads + 1] = format("local _, v%d = getlocal(thread, level, %d)", #names, local_index)
      else
        if not has_function then reads[#reads + 1] = 'local f = getinfo(thread, level, "f").func' end
        has_function = true
        reads[#reads + 1] = format("local _, v%d = getupvalue(f, %d)", #names, upvalue_index)
      end
    end
  end
  local header = #names > 0 and "local " .. concat(names, ",") .. " = ... " or ""
  local chunk, message = load(header .. "return " .. source, "=(condition)", "t", scope.environment)
  if not chunk then return nil, message end
  local values = {}
  for i = 1, #names do values[i] = "v" .. i end
  local make = load(format(READER, concat(reads, "\n"), concat(values, ", ")), "=(condition)", "t", {})
  return make(chunk, getlocal, getupvalue, getinfo)
end

-- true, false, or the text of an error. `source` is needed the first time only; without it nil says that it is not known.
function M.condition(id, thread, level, source)
  local condition = conditions[id]
  if not condition then
    if not source then return nil end
    local message
    condition, message = compile_condition(thread, level, source)
    if not condition then return without_place(message) end
    conditions[id] = condition
  end
  local ok, result = pcall(condition, thread, level)
  if not ok then return error_text(result) end
  return not not result
end

function M.forget_condition(id) conditions[id] = nil end

-- ---- errors ----

-- Will the program catch an error that is raised now? `threads`: the running one and those that resumed it, inner first.
function M.is_caught(threads)
  for i = 1, #threads do
    if probe.calls(threads[i], raw_pcall, raw_xpcall) then return true end
    if i > 1 and probe.calls(threads[i], resume) then return true end
  end
  return false
end

-- The error value that is being raised: its text, and code and name when it has them.
function M.thrown(thread)
  local value = probe.thrown(thread)
  local out = { text = error_text(value) }
  if type(value) == "table" then
    local code = rawget(value, "code")
    if type(code) == "string" then out.code = code end
    local call = rawget(value, "call")
    if type(call) == "string" then out.call = call end
  end
  if type(value) ~= "string" then out.variable = variable("error", value) end
  return out
end

-- ---- threads and functions ----

function M.thread_text(thread)
  local f = probe.body(thread)
  if type(f) ~= "function" then return nil end
  local info = getinfo(f, "S")
  if info.what == "C" then return "built-in" end
  return info.short_src .. ":" .. info.linedefined, probe.origin(f)
end

-- What a path like `table.name` leads to, without running anything; and whether a breakpoint can be there.
function M.find_function(path, bit)
  local value = globals
  for i = 1, #path do
    if type(value) ~= "table" and type(value) ~= "string" then return nil end
    local ok, found = pcall(quiet_field, value, path[i])
    if not ok or found == nil then return nil end
    value = found
  end
  if type(value) ~= "function" then return "other" end
  return probe.mark_entry(value, bit) and "function" or "built-in"
end

return M
