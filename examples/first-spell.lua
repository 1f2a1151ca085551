-- Remembers how often it ran, also over restarts of the kernel, and leaves a note for first-spell.ts.
local runs = (State.get("first-spell.runs") or 0) + 1
State.set("first-spell.runs", runs)
State.set("first-spell.note", { from = "Lua", runs = runs, words = { "state", "outlives", "scripts" } })

print(("Hello from %s. This spell was cast %d time%s."):format(_VERSION, runs, runs == 1 and "" or "s"))
if runs == 1 then
  print("Nobody was here before me.")
else
  print("The kernel remembers: TypeScript last answered " .. tostring(State.get("first-spell.answer")))
end
