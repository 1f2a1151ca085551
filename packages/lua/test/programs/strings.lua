-- Patterns, buffers, packing, UTF-8.
print(("hello world"):find("o w"), ("hello"):find("l+"), ("a.b"):find(".", 1, true), ("abc"):find("b", -1), ("x"):find("", 10))
print(("key = value"):match("^(%w+)%s*=%s*(%w+)$"), ("2024-01-02"):match("(%d+)-(%d+)-(%d+)"), ("[[x]]"):match("%[(%b[])%]"), ("THE (quick) fox"):find("%((%a+)%)"))
print(("abc"):gsub("%w", "%0%0"), ("abc"):gsub("", "-"), ("hello"):gsub("l", {l = "L"}), ("abc"):gsub("%w", function(c) if c == "b" then return false end return c:upper() end))
print(("$name is $age"):gsub("%$(%w+)", {name = "Bob", age = 7}), ("x y"):gsub("(%w) (%w)", "%2 %1"), ("aaa"):gsub("a", "b", 2))
print(("THE (quick) fox"):gsub("%f[%a]%a+", string.lower), ("  trim  "):match("^%s*(.-)%s*$") .. "|")
for k, v in ("a=1, b=2"):gmatch("(%w+)=(%w+)") do io.write(k, v, ";") end
for w in ("one two"):gmatch("%a+") do io.write(w, ".") end
print(pcall(string.find, "a", "[a"), pcall(string.find, "a", "%"), pcall(string.gsub, "a", "(", ""), pcall(string.rep, "x", 1 << 40))
print(("x"):rep(3, ","), ("abc"):sub(-2), ("abc"):sub(2, 10), ("abc"):sub(0), ("abc"):byte(1, -1), string.char(72, 105), ("abc"):reverse(), ("MiX"):lower(), ("MiX"):upper(), #"\u{7FFFFFFF}")
print("\x41\65\z
       tail\u{48}", 'a\'b', "tab\tq", [[
first newline dropped]], [==[]]]==], #"\0\0")
print(utf8.char(228, 8364, 0x1F600), utf8.len("äö€"), utf8.codepoint("€", 1), utf8.offset("aäb", 3), utf8.len("\xff"), utf8.charpattern)
for p, c in utf8.codes("aä€") do io.write(p, ":", c, " ") end
print(pcall(utf8.codepoint, "\xff"))
local packed = string.pack("<i4 >i2 z s1 d B", -5, 300, "zero", "len", 1.5, 255)
print(#packed, string.unpack("<i4 >i2 z s1 d B", packed))
print(string.packsize("i4i8!8d"), pcall(string.pack, "i1", 300), pcall(string.unpack, "i4", "abc"))
print(table.concat({1, 2, 3}, "-"), table.concat({}, ","), table.concat({"a", "b", "c"}, ",", 2, 3), pcall(table.concat, {1, {}, 3}))
print(tostring(nil), tostring(true), #tostring(print) > 0, tostring("x"), ("%s|%10.3s|"):format("abc", "abcdef"))
print(load("return '\\q'"), load("x = 'abc\n'"), load("return \"\\400\""), load("goto nope"), load("break"), load("local x <const> = 1; x = 2"))
