-- Closures, varargs, coroutines, errors, to-be-closed variables, goto.
local function va(...) return select("#", ...), ... end
print(va(), va(nil), va(1, nil, 3), (va(1, 2)), select(-1, 1, 2, 3), pcall(select, 0))
print(table.unpack({1, 2, 3}, 2), table.unpack({}, 1, 2), table.pack(va(1)).n)
local fs = {}
for i = 1, 3 do local j = i fs[i] = function() j = j + i return j end end
print(fs[1](), fs[1](), fs[2](), fs[3]())
local function deep(n) if n == 0 then return "bottom" end return deep(n - 1) end
print(deep(100000))
print(pcall(function() local function f() return 1 + f() end return f() end) == false)
do local i = 1 ::top:: if i <= 3 then io.write(i, " ") i = i + 1 goto top end print() end
for i = 1, 3 do for j = 1, 3 do if j == 2 then goto continue end io.write(i, j, " ") ::continue:: end end print()
local i = 0 repeat local stop = i >= 2 i = i + 1 until stop print(i)
print(pcall(error), pcall(error, nil), pcall(error, "m", 0), pcall(error, {1}) == false, pcall(error, "m", 2))
print(select(2, pcall(function() local x = nil; return x.y end)), select(2, pcall(function() return ("x").y.z end)), select(2, pcall(function() undefined_function() end)))
print(select(2, pcall(function() local t = {} t[nil] = 1 end)), select(2, pcall(function() return {} < {} end)), select(2, pcall(function() return 1 < "2" end)), select(2, pcall(function() return {} .. "x" end)), select(2, pcall(function() return #5 end)))
print(select(2, pcall(string.rep)), select(2, pcall(("x").rep, "x", {})), select(2, pcall(setmetatable, 1, {})), select(2, pcall(ipairs)))
print(xpcall(function() error("inner") end, function(m) return "handled " .. m end), xpcall(va, print, 1, 2))
print(select(2, xpcall(function() error("x", 0) end, function(m) error("again", 0) end)))
do
  local log = {}
  local function closer(name) return setmetatable({}, {__close = function(_, e) log[#log + 1] = name .. ":" .. tostring(e) end}) end
  local ok, e = pcall(function() local a <close> = closer("a") local b <close> = closer("b") error("boom", 0) end)
  do local c <close> = closer("c") end
  for _ in (function() local n = 0 return function() n = n + 1 if n < 3 then return n end end, nil, nil, closer("for") end)() do end
  print(ok, e, table.concat(log, " "))
end
local co = coroutine.create(function(a, b) local c = coroutine.yield(a + b) local d, e = coroutine.yield(c * 2) return d + e end)
print(coroutine.resume(co, 1, 2)) print(coroutine.resume(co, 10)) print(coroutine.resume(co, 3, 4)) print(coroutine.resume(co)) print(coroutine.status(co))
print(coroutine.isyieldable(), select(2, coroutine.running()), coroutine.wrap(function() return coroutine.isyieldable() end)())
print(pcall(coroutine.wrap(function() error("in co") end)), pcall(coroutine.yield))
local gen = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end end)
print(gen(), gen(), gen(), gen(), pcall(gen))
print(coroutine.wrap(function() return pcall(function() coroutine.yield("through pcall") error("after") end) end)())
local t = setmetatable({}, {__index = function(_, k) return coroutine.yield(k) end})
local m = coroutine.wrap(function() return t.key end) print(m(), m("value"))
local closing = coroutine.create(function() local x <close> = setmetatable({}, {__close = function() print("closed") end}) coroutine.yield() end)
coroutine.resume(closing) print(coroutine.close(closing), coroutine.status(closing))
print(load("return ...", "chunk")(5), load(function() return nil end), load("return x", "n", "t", {x = 9})(), pcall(load, "x", "n", "q"))
local dumped = string.dump(function(a) return a * 2 end) print(load(dumped, "d", "b")(21), load(dumped, "d", "t"))
print(select("#", table.unpack({}, 1, 200)), pcall(table.unpack, {}, 1, 1e8))
