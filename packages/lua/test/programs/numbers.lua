-- Integers, floats, their text and their edges.
local max, min = math.maxinteger, math.mininteger
print(max, min, max + 1 == min, min - 1 == max, -min == min)
print(1e15, 1e16, 1e100, 0.1, 1/3, -0.0, 100.0, 2^53, 2^63, 1e308 * 10, -(0/0) ~= -(0/0))
print(7 // 2, -7 // 2, 7 // -2, 7.0 // 2, 7 % 3, -7 % 3, 7 % -3, -7.5 % 2, 5 % math.huge, -5 % math.huge)
print(3 | 4, 7 & 2, 5 ~ 1, ~0, 1 << 63, 1 << 64, -1 >> 60, 2^31 | 0)
print(pcall(function() return 1 // 0 end))
print(pcall(function() return 1 % 0 end))
print(pcall(function() return 2^63 | 0 end))
print(pcall(function() return 1.5 | 0 end))
print(1 // 0.0, -1 // 0.0, 1 % 0.0 ~= 1 % 0.0)
print(1 == 1.0, max < 2^63, max + 0.0 == 2^63, min == -2^63, 2^53 == 2^53 + 1)
print(tonumber("0x10"), tonumber("0x.8p1"), tonumber("1e1"), tonumber(" 12 "), tonumber("1 2"), tonumber("z", 36), tonumber("8", 8), tonumber("1e"), tonumber(""))
print(math.type(1), math.type(1.0), math.type("1"), math.tointeger(3.0), math.tointeger(3.5), math.tointeger("8"))
print("10" + 5, "3" * "4", 10 .. 20, "0x10" + 0, pcall(function() return "a" + 1 end))
print(string.format("%d %5.2f %g %e %x %X %o %c %s %q %i %a %%", 42, 3.14159, 1e20, 12345.678, 255, 255, 8, 65, "s", "a\n\0b\"", 7, 0.5))
print(string.format("%q %q %q %q", 1/3, min, 0/0 ~= 0/0, 1e100), string.format("%-5s|%5s|%.2s|%05d|%+d", "a", "b", "xyz", 42, 7))
print(pcall(string.format, "%d", 1.5), pcall(string.format, "%y", 1))
for i = 3, 1, -1 do io.write(i, " ") end
for i = 1, 2, 0.25 do io.write(i, " ") end
for i = max - 1, max do io.write(i, " ") end
print(pcall(function() for i = 1, 10, 0 do end end))
print(math.floor(-3.5), math.ceil(-3.5), math.fmod(-7, 3), math.modf(-3.7), math.abs(min), math.ult(1, -1), math.max(1, 2.5), math.min(3, 1))
print(#tostring(math.pi), math.sqrt(2), math.exp(1), math.log(8, 2), math.log(100, 10), math.sin(1), math.atan(1, -1))
print(8 // 3 * 3 + 8 % 3, 2^-1, -2^2, not nil == true, 1 .. 2 == "12", "a" < "b", "a" < "B", "" < "a", "a\0b" < "a\0c")
