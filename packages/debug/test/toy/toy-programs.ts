import type { DebugPrograms } from '../../src/testing/index.ts'

export const toyPrograms: DebugPrograms = {
  suffix: '.toy',
  loop: `total = 0
for i = 1 to 5
  total = total + i # @body
# @comment
print 'total', total # @after @adjusted
`,
  calls: `def inner(n)
  doubled = n * 2 # @inner
  return doubled
def outer(n)
  got = inner(n) # @call
  return got + 1 # @afterCall
print outer(3) # @top
print 'end' # @end
`,
  data: `list = range(25000, 10)
record = { name: 'ada', nested: { deep: 7 } }
record.self = record
text = 'hello'
flag = true
count = 0
def bump()
  count = count + 1
  return count
here = list # @stop
print 'count', count
`,
  assign: `value = 1
again = value # @stop
print 'value', value
`,
  busy: `stop = false
n = 0
while stop == false
  n = n + 1 # @busy
print 'stopped'
`,
  caught: `def fail()
  detail = 42
  raise 'broken' # @raise
try
  fail()
catch
  print 'caught'
`,
  uncaught: `def fail()
  detail = 42
  raise 'broken' # @raise
fail()
`,
  named: `def named(x)
  print 'named', x # @named
named(1)
named(2)
`,
  globals: `answer = 42
greeting = 'hello'
`,
  deep: `def down(n)
  if n == 0
    return 0 # @deep
  return 1 + down(n - 1)
print down(500)
`,
  longString: "repeat('x', 2000000)",
  memory: `bytes = bytes(1, 2, 3, 4)
print 'bytes' # @stop
`,
}
