-- Tables, metatables, the collector.
local t = {10, 20, 30, nil, 50} print(#t == 5 or #t == 3, next({}), rawlen({1, 2}), rawequal(t, t), rawget(t, 1))
table.insert(t, 1, 5) print(t[1], t[2], select("#", table.unpack({1, nil, 3})))
local l = {} for i = 1, 10 do l[i] = i * i end
print(table.remove(l), table.remove(l, 1), #l, table.concat(l, " "), table.remove({}), pcall(table.insert, l, 20, 1), pcall(table.insert, l))
print(table.concat(table.move({1, 2, 3}, 1, 3, 2), ","), table.concat(table.move({1, 2, 3}, 2, 3, 1), ","), table.concat(table.move({1, 2}, 1, 2, 1, {}), ","))
local words = {"pear", "Apple", "fig", "apple", "Fig"} table.sort(words) print(table.concat(words, " "))
table.sort(words, function(a, b) if a:lower() ~= b:lower() then return a:lower() > b:lower() end return a < b end) print(table.concat(words, " "))
print(pcall(table.sort, {3, 1, "x"}), pcall(table.sort, {1, 2, 3, 4, 5}, function() return true end))
local keys = {} for k in pairs({a = 1, b = 2, [1] = 3, [2.5] = 4, [true] = 5}) do keys[#keys + 1] = tostring(k) end table.sort(keys) print(table.concat(keys, " "))
print(({[1] = "int", [1.0] = "same"})[1], ({[2^53] = "big"})[2^53], pcall(function() return ({})[nil] end))
local V = {} V.__index = V
V.__add = function(a, b) return setmetatable({x = a.x + b.x}, V) end
V.__eq = function(a, b) return a.x == b.x end
V.__lt = function(a, b) return a.x < b.x end
V.__le = function(a, b) return a.x <= b.x end
V.__call = function(self, y) return self.x + y end
V.__len = function(self) return self.x end
V.__concat = function(a, b) return (type(a) == "table" and a.x or a) .. "~" .. (type(b) == "table" and b.x or b) end
V.__tostring = function(self) return "V(" .. self.x .. ")" end
V.__unm = function(a) return setmetatable({x = -a.x}, V) end
V.__idiv = function(a, b) return "idiv" end V.__band = function() return "band" end V.__shl = function() return "shl" end V.__bnot = function() return "bnot" end
V.__name = "Vector"
local a, b = setmetatable({x = 1}, V), setmetatable({x = 2}, V)
print((a + b).x, a == b, a < b, a <= b, a > b, a(5), #b, a .. b, a .. "s", 1 .. a, tostring(a), (-a).x, a // 1, a & 1, a << 1, ~a)
print(pcall(function() return a - b end), pcall(function() return a.missing.field end))
local proxy = setmetatable({}, {__index = {inherited = 1}, __newindex = function(s, k, v) rawset(s, k, v * 2) end}) proxy.x = 4 print(proxy.inherited, proxy.x, rawget(proxy, "inherited"))
print(getmetatable(setmetatable({}, {__metatable = "locked"})), pcall(setmetatable, setmetatable({}, {__metatable = 1}), {}), getmetatable("").__index == string)
for k, v in pairs(setmetatable({}, {__pairs = function() return function(_, k) if not k then return 1, "paired" end end, nil, nil end})) do print(k, v) end
local weak = setmetatable({}, {__mode = "v"}) weak[1] = {} weak[2] = "string" collectgarbage() print(weak[1], weak[2])
local eph = setmetatable({}, {__mode = "k"}) do local k = {} eph[k] = {k} end collectgarbage() print(next(eph))
local order = {} for i = 1, 3 do setmetatable({}, {__gc = function() order[#order + 1] = i end}) end collectgarbage() collectgarbage() print(table.concat(order, " "))
local revived do local x = setmetatable({name = "r"}, {__gc = function(o) revived = o end}) end collectgarbage() print(revived and revived.name)
print(collectgarbage("count") > 0, collectgarbage("isrunning"), collectgarbage("step", 100) ~= nil)
collectgarbage("generational") print(collectgarbage("incremental"), collectgarbage("generational")) collectgarbage("incremental")
local big = {} for i = 1, 100000 do big[i] = {i} end local sum = 0 for _, v in ipairs(big) do sum = sum + v[1] end print(sum)
