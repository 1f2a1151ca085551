-- Hooks, debug information, the environment.
local lines = {}
debug.sethook(function(_, l) lines[#lines + 1] = l end, "l")
local x = 1
for i = 1, 2 do
  x = x + i
end
debug.sethook()
print(table.concat(lines, " "))
local calls = {}
debug.sethook(function(e) calls[#calls + 1] = e .. ":" .. tostring(debug.getinfo(2, "n").name) end, "cr")
math.abs(1) local function f() return math.abs(2) end f()
debug.sethook()
print(#calls, calls[3], calls[4])
local counted = 0
debug.sethook(function() counted = counted + 1 end, "", 100)
for _ = 1, 10000 do end
debug.sethook()
print(counted > 50 and counted < 500, debug.gethook())
local co = coroutine.create(function() local inner = 1 coroutine.yield() end)
coroutine.resume(co)
print(debug.getlocal(co, 1, 1), debug.getinfo(co, 1, "l").currentline, debug.traceback(co, "msg"))
local info = debug.getinfo(f, "Su") print(info.what, info.linedefined, info.short_src, info.nparams, info.isvararg, info.nups)
local function outer() local a, b = 1, "two" local function inner() return a end print(debug.getlocal(1, 1), debug.getlocal(1, 2)) debug.setlocal(1, 1, 10) print(a, inner(), debug.getupvalue(inner, 1)) debug.setupvalue(inner, 1, 20) print(a) end outer()
print(debug.getlocal(function(p, q, ...) end, 1), debug.getlocal(function(p, q, ...) end, 2), debug.getlocal(function() end, 1))
do local _ENV = {print = print} y = 5 print(y, _ENV.y) end
print(y, _G._G == _G, _VERSION)
print(os.date("!%Y-%m-%d %H:%M:%S", 86400), os.time({year = 2000, month = 1, day = 1, hour = 12}) - os.time({year = 2000, month = 1, day = 1, hour = 0}), pcall(os.date, "%Ez", 0), os.date("!*t", 0).year)
print(type(os.clock()), os.difftime(10, 5), os.getenv("SURELY_NOT_SET_ANYWHERE"), io.type(io.stdout), io.type(5), tostring(io.stdout):match("^file"))
print(require("string") == string, package.config:sub(1, 1), pcall(require, "no.such.module") == false, package.loaded.math == math)
print(select(2, pcall(error, setmetatable({}, {__tostring = function() return "E" end}))) ~= nil, debug.getmetatable("").__name)
goto done
do print("skipped") end
::done:: print(#arg, "end")
